//! States and provinces: free text, as nobody has a full list of what people write, but never a known subdivision of
//! another country (ISO 3166-2). A name that says nothing about a country is let through.

use super::{
    country, key,
    regions::{EXONYMS, GENERIC, SHARED, TERRITORIES},
    without_bracket,
};
use crate::domain::{error::Fault, text};
use rust_iso3166::iso3166_2::{SUBDIVISION_MAP, from_code};
use std::{collections::HashMap, sync::LazyLock};

const MAX: usize = 100;

/// From [`key`] of a name to the countries that have such a subdivision.
static NAMES: LazyLock<HashMap<String, Vec<&'static str>>> = LazyLock::new(|| {
    let mut names: HashMap<String, Vec<&'static str>> = HashMap::new();
    let listed = SUBDIVISION_MAP.values().flat_map(|known| {
        spellings(known.name)
            .into_iter()
            .map(|name| (name, known.country_code))
    });
    let exonyms = EXONYMS
        .iter()
        .flat_map(|(code, names)| names.split(", ").map(|name| (key(name), *code)));
    for (name, code) in listed.chain(exonyms).filter(|(name, _)| !name.is_empty()) {
        let countries = names.entry(name).or_default();
        if !countries.contains(&code) {
            countries.push(code);
        }
    }
    for (code, shared) in SHARED {
        for name in shared.split(", ") {
            if let Some(countries) = names.get_mut(&key(name)) {
                countries.push(code);
            }
        }
    }
    names
});

/// `Madrid, Comunidad de` is also written `Comunidad de Madrid` and `Madrid`.
fn spellings(name: &str) -> Vec<String> {
    let bare = without_bracket(name);
    let mut spellings = vec![key(name), key(&bare)];
    if let Some((place, kind)) = bare.split_once(", ") {
        spellings.extend([key(&format!("{kind} {place}")), key(place)]);
    }
    spellings
}

/// A line of at most 100 code points that is no subdivision of another country than `country_code` (alpha-2).
pub fn state_province(country_code: Option<&str>, text: &str) -> Result<String, Fault> {
    let state = text::line(MAX, text)?;
    match country_code {
        Some(code) if belongs_elsewhere(code, &state) => Err(Fault::new(
            "mismatch",
            "This state or province belongs to another country.",
        )),
        _ => Ok(state),
    }
}

fn belongs_elsewhere(code: &str, state: &str) -> bool {
    let parents = TERRITORIES
        .iter()
        .filter(|(_, territories)| territories.split(", ").any(|territory| territory == code));
    let mut homes = parents.map(|(parent, _)| *parent).chain([code]);
    if let Some(known) = from_code(&state.to_ascii_uppercase()) {
        return homes.all(|home| home != known.country_code);
    }
    let words = || {
        state
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    if words().all(|word| GENERIC.contains(&word.to_lowercase().as_str())) {
        return false;
    }
    let Some(countries) = NAMES.get(&key(state)) else {
        return false;
    };
    homes.all(|home| !countries.contains(&home)) && country(state).as_deref() != Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepted(country: &str, state: &str) -> bool {
        match state_province(Some(country), state) {
            Ok(read) => read == state,
            Err(fault) => {
                assert_eq!(fault.code, "mismatch");
                false
            }
        }
    }

    #[test]
    fn subdivisions_of_the_country_are_accepted_by_code_and_name() {
        for (country, state) in [
            ("US", "California"),
            ("US", "california"),
            ("US", "US-CA"),
            ("US", "us-ca"),
            ("US", "CA"),
            ("NL", "Noord-Holland"),
            ("NL", "North Holland"),
            ("NL", "NL-NH"),
            ("BR", "Sao Paulo"),
            ("BR", "São Paulo"),
            ("DE", "Bavaria"),
            ("DE", "Bayern"),
            ("US", "Georgia"),
            ("ES", "Comunidad de Madrid"),
            ("ES", "Madrid"),
            ("MX", "Baja California"),
            ("GB", "England"),
            ("FR", "Réunion"),
        ] {
            assert!(accepted(country, state), "{country} {state}");
        }
    }

    #[test]
    fn subdivisions_of_another_country_are_refused() {
        for (country, state) in [
            ("NL", "California"),
            ("NL", "CALIFORNIA"),
            ("NL", "US-CA"),
            ("NL", "us-ca"),
            ("US", "Noord-Holland"),
            ("US", "NL-NH"),
            ("NL", "Bavaria"),
            ("DE", "Sao Paulo"),
            ("US", "Ontario"),
            ("FR", "Texas"),
            ("CA", "Île-de-France"),
            ("GB", "New South Wales"),
            ("US", "Baja California"),
        ] {
            assert!(!accepted(country, state), "{country} {state}");
        }
    }

    #[test]
    fn a_name_of_two_countries_is_accepted_for_both() {
        for country in ["BE", "NL"] {
            assert!(accepted(country, "Limburg"), "{country}");
        }
        for country in ["IN", "PK"] {
            assert!(accepted(country, "Punjab"), "{country}");
        }
        assert!(!accepted("US", "Punjab"));
    }

    #[test]
    fn a_region_that_reaches_over_a_border_is_accepted_on_both_sides() {
        for (country, state) in [
            ("GB", "Ulster"),
            ("IE", "Ulster"),
            ("CZ", "Silesia"),
            ("PL", "Silesia"),
            ("SE", "Lapland"),
            ("FI", "Lapland"),
            ("IT", "Tyrol"),
            ("FR", "Catalonia"),
        ] {
            assert!(accepted(country, state), "{country} {state}");
        }
        for (country, state) in [("US", "Ulster"), ("ES", "Silesia"), ("BR", "Tyrol")] {
            assert!(!accepted(country, state), "{country} {state}");
        }
    }

    #[test]
    fn a_territory_may_name_itself() {
        for (country, state) in [
            ("PR", "Puerto Rico"),
            ("RE", "La Réunion"),
            ("HK", "Hong Kong"),
            ("AW", "Aruba"),
        ] {
            assert!(accepted(country, state), "{country} {state}");
        }
    }

    #[test]
    fn text_that_names_no_country_is_accepted() {
        for state in [
            "Randstad",
            "my own place",
            "Northern",
            "Central Region",
            "-",
            "XX-YY",
            "<b>",
        ] {
            assert!(accepted("NL", state), "{state}");
        }
        assert_eq!(
            state_province(None, "California").as_deref(),
            Ok("California")
        );
    }

    #[test]
    fn the_text_must_be_a_line_all_the_same() {
        assert_eq!(
            state_province(None, &"x".repeat(101)).unwrap_err().code,
            "too_long"
        );
        assert_eq!(
            state_province(Some("NL"), "a\nb").unwrap_err().code,
            "format"
        );
    }

    #[test]
    fn every_listed_subdivision_is_accepted_in_its_own_country() {
        for known in SUBDIVISION_MAP.values() {
            for state in [known.name, known.code] {
                assert!(
                    !belongs_elsewhere(known.country_code, state),
                    "{} {state}",
                    known.code
                );
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_as_itself(country in "[A-Z]{2}", text in "\\PC{0,20}|[a-zA-Z]{2}-[a-zA-Z0-9]{1,3}") {
            if let Ok(read) = state_province(Some(&country), &text) {
                prop_assert_eq!(state_province(Some(&country), &read), Ok(read));
            }
        }
    }
}
