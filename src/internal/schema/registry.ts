/**
 * The models that a service has run programs of. Two models of one name would read each other's entities, so one service takes
 * one form of a name: the form that it meets first. Other services are independent, because tests and reloaded modules define
 * models again.
 */

/** The form of each name that was defined last in this process. */
const latest = new Map<string, string>()

/**
 * The definition of a model: its name, and a text that differs between forms of storage.
 */
export class Definition {
  readonly name: string
  readonly form: string
  /** Whether an earlier model of this name in this process has another form. */
  readonly isChanged: boolean
  /** The models of the service that has accepted this one last. */
  acceptedBy: Models | undefined = undefined

  constructor(name: string, form: string) {
    this.name = name
    this.form = form
    this.isChanged = (latest.get(name) ?? form) !== form
    latest.set(name, form)
  }
}

/** The accepted forms of a service, by the name of the model. */
type Models = Map<string, string>

const modelsOf = new WeakMap<object, Models>()
/** The service of the last commit and its models, because most commits go to one service. */
let lastService: object | undefined
let lastModels: Models = new Map()

/**
 * Returns the models of a service, for `accept`.
 *
 * @internal
 */
export const modelsOn = (service: object): Models => {
  if (service === lastService) return lastModels
  let models = modelsOf.get(service)
  if (models === undefined) modelsOf.set(service, models = new Map())
  lastService = service
  return lastModels = models
}

/**
 * Accepts a model that was not accepted last by these models. Returns whether its change is worth a warning. Throws if the
 * service has another model of this name.
 *
 * @internal
 */
export const accept = (definition: Definition, models: Models): boolean => {
  const { form, isChanged, name } = definition
  const known = models.get(name)
  if (known !== undefined && known !== form) {
    throw new Error(
      `Model "${name}": another model of this name, stored in another form, is in use on this service; build the layer again, or use another name`
    )
  }
  models.set(name, form)
  definition.acceptedBy = models
  return isChanged && known === undefined
}
