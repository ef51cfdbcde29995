//! Countries by code or English name (ISO 3166-1). Names are compared by [`key`], so case, accents, "the", "&" and
//! punctuation do not matter; subdivisions have their own file.

mod regions;
mod subdivision;

pub use subdivision::state_province;

use super::error::Fault;
use std::{collections::HashMap, sync::LazyLock};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longer than any name of a country in any spelling.
const MAX_BYTES: usize = 200;

/// Names in common use that are not the ISO short name or its part before the bracket.
const ALIASES: &[(&str, &str)] = &[
    ("America", "US"),
    ("U.S.", "US"),
    ("U.S.A.", "US"),
    ("United States", "US"),
    ("U.K.", "GB"),
    ("Britain", "GB"),
    ("Great Britain", "GB"),
    ("United Kingdom", "GB"),
    ("England", "GB"),
    ("Scotland", "GB"),
    ("Wales", "GB"),
    ("Northern Ireland", "GB"),
    ("Russia", "RU"),
    ("South Korea", "KR"),
    ("Republic of Korea", "KR"),
    ("North Korea", "KP"),
    ("DPRK", "KP"),
    ("Democratic People's Republic of Korea", "KP"),
    ("Czech Republic", "CZ"),
    ("Slovak Republic", "SK"),
    ("Vietnam", "VN"),
    ("Ivory Coast", "CI"),
    ("Turkey", "TR"),
    ("Republic of Türkiye", "TR"),
    ("Holland", "NL"),
    ("Republic of Ireland", "IE"),
    ("Eire", "IE"),
    ("Laos", "LA"),
    ("Syria", "SY"),
    ("Brunei", "BN"),
    ("Burma", "MM"),
    ("Cape Verde", "CV"),
    ("East Timor", "TL"),
    ("Swaziland", "SZ"),
    ("Macedonia", "MK"),
    ("Vatican", "VA"),
    ("Vatican City", "VA"),
    ("Vatican City State", "VA"),
    ("Macau", "MO"),
    ("Hong Kong SAR", "HK"),
    ("UAE", "AE"),
    ("Emirates", "AE"),
    ("KSA", "SA"),
    ("PRC", "CN"),
    ("Mainland China", "CN"),
    ("People's Republic of China", "CN"),
    ("Republic of China", "TW"),
    ("DRC", "CD"),
    ("DR Congo", "CD"),
    ("Congo-Kinshasa", "CD"),
    ("Democratic Republic of the Congo", "CD"),
    ("Congo-Brazzaville", "CG"),
    ("Republic of the Congo", "CG"),
    ("Federated States of Micronesia", "FM"),
    ("Islamic Republic of Iran", "IR"),
    ("Republic of Moldova", "MD"),
    ("United Republic of Tanzania", "TZ"),
    ("Plurinational State of Bolivia", "BO"),
    ("Bolivarian Republic of Venezuela", "VE"),
    ("State of Palestine", "PS"),
    ("Kingdom of the Netherlands", "NL"),
    ("Federal Republic of Germany", "DE"),
    ("Falklands", "FK"),
    ("Keeling Islands", "CC"),
    ("Saint Helena", "SH"),
    ("Caribbean Netherlands", "BQ"),
    ("Bonaire", "BQ"),
    ("British Virgin Islands", "VG"),
    ("US Virgin Islands", "VI"),
    ("United States Virgin Islands", "VI"),
    ("Svalbard", "SJ"),
    ("Wallis & Futuna", "WF"),
    ("Trinidad", "TT"),
    ("Bosnia", "BA"),
    ("Belorussia", "BY"),
    ("Surinam", "SR"),
];

/// From [`key`] of a name to alpha-2.
static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let countries = || rust_iso3166::ALL.iter();
    let aliases = ALIASES.iter().map(|(name, code)| (key(name), *code));
    let mut names: HashMap<_, _> = countries()
        .map(|c| (key(c.name), c.alpha2))
        .chain(aliases)
        .collect();
    let mut short: HashMap<String, Vec<&'static str>> = HashMap::new();
    for country in countries().filter(|c| c.name.contains('(')) {
        short
            .entry(key(&without_bracket(country.name)))
            .or_default()
            .push(country.alpha2);
    }
    for (name, codes) in short {
        // "Korea" and "Virgin Islands" could be either of two.
        if let [code] = codes.as_slice() {
            names.entry(name).or_insert(code);
        }
    }
    names
});

/// Reads alpha-2, alpha-3 or an English name; gives alpha-2 in upper case.
pub fn country(text: &str) -> Result<String, Fault> {
    const UNKNOWN: Fault = Fault::new(
        "unknown_value",
        "This is no country: send an ISO 3166-1 code (NL, NLD) or the English name.",
    );
    let text = text.trim();
    if text.len() > MAX_BYTES || text.contains(char::is_control) {
        return Err(UNKNOWN);
    }
    let code = text.to_ascii_uppercase();
    rust_iso3166::from_alpha2(&code)
        .or_else(|| rust_iso3166::from_alpha3(&code))
        .map(|country| country.alpha2)
        .or_else(|| NAMES.get(&key(text)).copied())
        .map(str::to_owned)
        .ok_or(UNKNOWN)
}

/// What two spellings of a name share: its letters and digits without accents, in lower case, without "the".
fn key(name: &str) -> String {
    let name = name.replace('&', " and ");
    let plain: String = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| *word != "the")
        .map(|word| if word == "st" { "saint" } else { word })
        .collect()
}

fn without_bracket(name: &str) -> String {
    match (name.split_once('('), name.rsplit_once(')')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_country_is_known_by_codes_and_names_in_any_case() {
        for (text, code) in [
            ("NL", "NL"),
            ("nl", "NL"),
            ("nld", "NL"),
            ("Netherlands", "NL"),
            ("the NETHERLANDS", "NL"),
            ("Holland", "NL"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("United States", "US"),
            ("United States of America", "US"),
            ("UK", "GB"),
            ("Great Britain", "GB"),
            ("United Kingdom", "GB"),
            ("Russia", "RU"),
            ("South Korea", "KR"),
            ("North Korea", "KP"),
            ("Czech Republic", "CZ"),
            ("Czechia", "CZ"),
            ("Vietnam", "VN"),
            ("Viet Nam", "VN"),
            ("Ivory Coast", "CI"),
            ("Cote d'Ivoire", "CI"),
            ("Côte d’Ivoire", "CI"),
            ("Türkiye", "TR"),
            ("TÜRKİYE", "TR"),
            ("Tu\u{308}rkiye", "TR"),
            ("Turkey", "TR"),
            ("Bolivia", "BO"),
            ("Iran", "IR"),
            ("Taiwan", "TW"),
            ("Congo", "CG"),
            ("DR Congo", "CD"),
            ("Tanzania", "TZ"),
            ("St. Lucia", "LC"),
            ("Trinidad & Tobago", "TT"),
            ("Bosnia and Herzegovina", "BA"),
            ("Curacao", "CW"),
            ("Åland Islands", "AX"),
            (" Germany ", "DE"),
            ("Falkland Islands", "FK"),
            ("Georgia", "GE"),
            ("Republic of Korea", "KR"),
            ("Gambia", "GM"),
            ("The Bahamas", "BS"),
            ("Moldova", "MD"),
        ] {
            assert_eq!(country(text).as_deref(), Ok(code), "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_unknown_value() {
        for text in [
            "",
            " ",
            "XX",
            "ZZZ",
            "Atlantis",
            "Korea",
            "Virgin Islands",
            "NL\0",
            "N L D E",
            "U\0K",
            "528",
            &"x".repeat(1_000_000),
        ] {
            assert_eq!(
                country(text).unwrap_err().code,
                "unknown_value",
                "{text:.20}"
            );
        }
    }

    #[test]
    fn every_country_is_found_by_all_that_names_it() {
        for known in rust_iso3166::ALL {
            for text in [
                known.alpha2,
                known.alpha3,
                known.name,
                &known.name.to_uppercase(),
            ] {
                assert_eq!(country(text).as_deref(), Ok(known.alpha2), "{text}");
            }
        }
        for (name, code) in ALIASES {
            assert_eq!(country(name).as_deref(), Ok(*code), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_country_reads_as_itself(text in "\\PC{0,12}|[a-zA-Z]{2,3}") {
            if let Ok(code) = country(&text) {
                prop_assert_eq!(country(&code), Ok(code));
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = country(&text);
        }
    }
}
