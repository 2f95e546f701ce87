// What one setting is: a TypeBox schema with the facts that its documentation, its parsing from text and its problem
// messages are made from. Knows no key by name.
import Type, { type Static, type TSchema } from "typebox";

/** How a setting is written in an environment variable or a flag, where all there is is text. */
export type SettingKind = "integer" | "fraction" | "boolean" | "text" | "text-list" | "object-list";

/** What is known of a setting beside its schema. */
export interface SettingFacts {
  readonly kind: SettingKind;
  readonly description: string;
  /** `ms`, `bytes`, `events`, …; absent where the value has none. */
  readonly unit: string | undefined;
  /** The allowed values in words; what a problem answers with. */
  readonly allowed: string;
  readonly default: unknown;
  /** Whether `null` is allowed. */
  readonly nullable: boolean;
  /** Whether the value must never be printed. */
  readonly secret: boolean;
}

/** A schema that carries its facts; `Static` of it is the setting's TypeScript type. */
export type Setting<S extends TSchema = TSchema> = S & { readonly facts: SettingFacts };

interface SettingOptions<T> {
  readonly default: T;
  readonly description: string;
}

interface NumberOptions extends SettingOptions<number> {
  readonly minimum: number;
  readonly maximum: number;
  readonly unit?: string;
}

interface TextOptions extends SettingOptions<string> {
  /** The allowed values in words. */
  readonly allowed: string;
  readonly check?: (value: string) => boolean;
  readonly secret?: boolean;
}

interface ListOptions<T> extends SettingOptions<readonly T[]> {
  /** What one element may be, in words. */
  readonly allowed: string;
  readonly minItems?: number;
  readonly maxItems: number;
}

function withFacts<S extends TSchema>(
  schema: S,
  facts: Partial<SettingFacts> & Pick<SettingFacts, "kind" | "description" | "allowed" | "default">,
): Setting<S> {
  return Object.assign(schema, { facts: { unit: undefined, nullable: false, secret: false, ...facts } });
}

function numberAllowed(noun: string, { minimum, maximum, unit }: NumberOptions): string {
  return `${noun} from ${minimum} to ${maximum}${unit === undefined ? "" : ` (${unit})`}`;
}

/** A whole number, both ends included. */
export function integer(options: NumberOptions) {
  const { description, minimum, maximum, unit } = options;
  const facts = {
    kind: "integer",
    description,
    unit,
    allowed: numberAllowed("an integer", options),
    default: options.default,
  } as const;
  return withFacts(Type.Integer({ minimum, maximum }), facts);
}

/** A decimal number, both ends included. */
export function fraction(options: NumberOptions) {
  const { description, minimum, maximum, unit } = options;
  const facts = {
    kind: "fraction",
    description,
    unit,
    allowed: numberAllowed("a number", options),
    default: options.default,
  } as const;
  return withFacts(Type.Number({ minimum, maximum }), facts);
}

/** `true` or `false`. */
export function flag(options: SettingOptions<boolean>) {
  return withFacts(Type.Boolean(), { kind: "boolean", allowed: "true or false", ...options });
}

/** A string; `check` narrows it further than its words in `allowed` can. */
export function text(options: TextOptions) {
  const { allowed, description, check = () => true, secret = false } = options;
  const schema = Type.Refine(Type.String(), check, () => allowed);
  return withFacts(schema, { kind: "text", description, allowed, secret, default: options.default });
}

/** One of a closed set of words. */
export function choice<const T extends string>(values: readonly [T, ...T[]], options: SettingOptions<T>) {
  return withFacts(Type.Enum(values), { kind: "text", allowed: `one of ${values.join(", ")}`, ...options });
}

/** A list without duplicates, of strings unless `kind` says otherwise. */
export function list<S extends TSchema>(
  items: S,
  options: ListOptions<Static<S>>,
  kind: "text-list" | "object-list" = "text-list",
) {
  const { description, minItems = 0, maxItems } = options;
  const count = minItems === 0 ? `up to ${maxItems}` : `${minItems} to ${maxItems}`;
  const allowed = `a list of ${count}, each ${options.allowed}, none twice`;
  const schema = Type.Array(items, { minItems, maxItems, uniqueItems: true });
  return withFacts(schema, { kind, description, allowed, default: options.default });
}

/** A string element of a list. */
export function element(check: (value: string) => boolean) {
  return Type.Refine(Type.String(), check, () => "not allowed");
}

/** A whole number that is one of several ranges or words; `schema` says which, `allowed` says it to people. */
export function integerOf<S extends TSchema>(
  schema: S,
  options: SettingOptions<number> & { readonly allowed: string },
): Setting<S> {
  return withFacts(schema, { kind: "integer", ...options });
}

/** Makes `null` allowed, and the default when `byDefault` says so; `meaning` is what null stands for. */
export function orNull<S extends TSchema>(setting: Setting<S>, meaning: string, byDefault = false) {
  const facts = setting.facts;
  const allowed = `${facts.allowed}, or null (${meaning})`;
  const schema = Type.Union([Type.Null(), setting]);
  return withFacts(schema, { ...facts, allowed, nullable: true, default: byDefault ? null : facts.default });
}
