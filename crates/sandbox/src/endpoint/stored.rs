//! Stored queries of the platform.

/// The text of a stored query, by `queryId` and `operationName`: introspection and the public form, which are what may be
/// asked without a token.
pub(super) fn stored(query_id: &str, operation_name: Option<&str>) -> Option<&'static str> {
    match (query_id, operation_name) {
        ("introspection", None | Some("IntrospectionQuery")) => Some(INTROSPECTION),
        ("ds-query-v2", Some("getDemarcheDescriptor")) => Some(DESCRIPTOR),
        _ => None,
    }
}

const DESCRIPTOR: &str = "
query getDemarcheDescriptor(
  $demarche: FindDemarcheInput!
  $includeRevision: Boolean = false
  $includeService: Boolean = false
) {
  demarcheDescriptor(demarche: $demarche) {
    id
    number
    title
    description
    state
    dateCreation
    dateDerniereModification
    revision @include(if: $includeRevision) {
      id
      dateCreation
      datePublication
      champDescriptors { ...Question ... on RepetitionChampDescriptor { champDescriptors { ...Question } } }
      annotationDescriptors { ...Question ... on RepetitionChampDescriptor { champDescriptors { ...Question } } }
    }
    service @include(if: $includeService) { id nom organisme siret }
  }
}
fragment Question on ChampDescriptor {
  __typename
  id
  label
  description
  required
  ... on DropDownListChampDescriptor { options }
  ... on MultipleDropDownListChampDescriptor { options }
  ... on LinkedDropDownListChampDescriptor { options }
}
";

const INTROSPECTION: &str = "
query IntrospectionQuery {
  __schema {
    queryType { name }
    mutationType { name }
    subscriptionType { name }
    types { ...FullType }
    directives { name description locations args { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind
  name
  description
  specifiedByURL
  fields(includeDeprecated: true) {
    name
    description
    args { ...InputValue }
    type { ...TypeRef }
    isDeprecated
    deprecationReason
  }
  inputFields { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
  kind
  name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
}
";
