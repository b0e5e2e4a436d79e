//! Splits filters into addresses below the length limit (Grist trap 35). Pure.

use serde_json::{Map, Value};
use url::Url;

use super::error::GristError;

/// The longest address, in bytes. Grist takes 16 kB with all headers (Grist trap 35); many a proxy takes 8 kB for the line.
const LONGEST_ADDRESS: usize = 7_500;

/// The columns of a filter, with the values that each may have.
pub(super) type Filter<'a> = Vec<(&'a str, Vec<Value>)>;

/// The address of the rows that a filter lets through.
pub(super) fn address(base: &Url, filter: &Filter<'_>) -> Url {
    let mut url = base.clone();
    if !filter.is_empty() {
        let filter: Map<String, Value> =
            filter.iter().map(|(column, values)| ((*column).to_owned(), Value::Array(values.clone()))).collect();
        url.query_pairs_mut().append_pair("filter", &Value::Object(filter).to_string());
    }
    url
}

/// A filter, as filters whose addresses are bearable and which let the same rows through together.
///
/// # Errors
/// [`GristError::Malformed`] for a column that is told twice; [`GristError::TooLarge`] when one value each is too much.
pub(super) fn pieces<'a>(base: &Url, filter: &[(&'a str, Vec<Value>)]) -> Result<Vec<Filter<'a>>, GristError> {
    for (at, (column, _)) in filter.iter().enumerate() {
        if filter[..at].iter().any(|(other, _)| other == column) {
            return Err(GristError::Malformed { reason: format!("the filter names `{column}` twice") });
        }
    }
    if filter.iter().any(|(_, values)| values.is_empty()) {
        return Ok(Vec::new());
    }
    let mut bearable = Vec::new();
    // Halves waiting to be looked at, the first on top.
    let mut waiting: Vec<Filter<'a>> = vec![filter.to_vec()];
    while let Some(mut filter) = waiting.pop() {
        let bytes = address(base, &filter).as_str().len();
        if bytes <= LONGEST_ADDRESS {
            bearable.push(filter);
            continue;
        }
        let longest = filter.iter_mut().max_by_key(|(_, values)| values.len());
        let Some((column, values)) = longest.filter(|(_, values)| values.len() > 1) else {
            return Err(GristError::TooLarge { bytes });
        };
        let (column, second) = (*column, values.split_off(values.len() / 2));
        let other =
            filter.iter().map(|(name, values)| (*name, if *name == column { second.clone() } else { values.clone() }));
        waiting.push(other.collect());
        waiting.push(filter);
    }
    Ok(bearable)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base() -> Url {
        "https://grist.example.org/o/docs/api/docs/kZ8mQv2Xw9Lr/tables/T/records".parse().expect("a URL")
    }

    #[test]
    fn a_long_filter_is_cut_and_loses_nothing() {
        let keys: Vec<Value> = (0..3000).map(|n| json!(format!("démarche/{n}"))).collect();
        let cut = pieces(&base(), &[("cle", keys.clone()), ("etat", vec![json!("a"), json!("b")])]).expect("pieces");
        assert!(cut.len() > 5, "{}", cut.len());
        assert!(cut.iter().all(|filter| address(&base(), filter).as_str().len() <= LONGEST_ADDRESS));
        assert!(cut.iter().all(|filter| filter[1] == ("etat", vec![json!("a"), json!("b")])));
        let together: Vec<Value> = cut.into_iter().flat_map(|mut filter| filter.remove(0).1).collect();
        assert_eq!(together, keys);
    }

    #[test]
    fn filters_of_one_address_and_of_none() {
        assert_eq!(pieces(&base(), &[]).expect("no filter"), vec![Filter::new()]);
        assert_eq!(address(&base(), &Filter::new()), base());
        assert!(pieces(&base(), &[("cle", vec![])]).expect("no value").is_empty());
        let giant = pieces(&base(), &[("cle", vec![json!("x".repeat(8000))])]);
        assert!(matches!(giant, Err(GristError::TooLarge { .. })));
        let twice = pieces(&base(), &[("cle", vec![json!(1)]), ("cle", vec![json!(2)])]);
        assert!(matches!(twice, Err(GristError::Malformed { .. })));
    }
}
