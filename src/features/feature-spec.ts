/** What is known of one input of the model. */
export type FeatureSpec = NumberFeature | CategoryFeature

type AnyFeature = {
  readonly name: string
  /** Whether the value may be missing; a missing value stands as NaN in a vector. */
  readonly nullable: boolean
}

export type NumberFeature = AnyFeature & {
  readonly type: 'double'
  readonly unit?: string
  /** Least and greatest value that can be true. */
  readonly range?: readonly [number, number]
}

/** One of several names. In a vector stands its code: the place in `categories`, or their number for any other name. */
export type CategoryFeature = AnyFeature & {
  readonly type: 'category'
  readonly categories: readonly string[]
}

/** The categories of each feature, none for a number. */
export const categoriesOf = (features: readonly FeatureSpec[]): (readonly string[])[] =>
  features.map((feature) => (feature.type === 'category' ? feature.categories : []))
