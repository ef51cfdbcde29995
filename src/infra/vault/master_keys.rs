//! The keys that wrap all others (`ENCRYPTION_KEYS`), newest first. They never print, and neither do the errors of
//! reading them: whoever forgets an id puts a key in its place.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Longest id of a master key.
const MAX_ID_LENGTH: usize = 64;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that wraps data keys.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey {
    /// Kept beside everything it wraps; not secret.
    #[zeroize(skip)]
    pub id: String,
    /// The key itself.
    pub bytes: [u8; 32],
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({}, ***)", self.id)
    }
}

/// At least one master key, newest first, each id once.
#[derive(Debug, Clone)]
pub struct MasterKeys {
    newest: MasterKey,
    older: Vec<MasterKey>,
}

/// What is wrong with a list of master keys; entries are counted from 1 and never quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyListFault {
    #[error(
        "there is no key in it; the form is `id:base64`, several with commas between, newest first"
    )]
    Empty,
    #[error("entry {0} has no `:`; the form is `id:base64`")]
    Form(usize),
    #[error("the id of entry {0} must be 1 to 64 characters of A-Z a-z 0-9 . _ -")]
    Id(usize),
    #[error("the key of entry {0} must be 32 bytes in base64")]
    Key(usize),
    #[error("the id of entry {0} is that of an earlier entry")]
    Repeated(usize),
}

impl MasterKeys {
    /// Reads `id:base64,id2:base64`, newest first; white space around entries is left out.
    pub fn parse(text: &str) -> Result<Self, KeyListFault> {
        if text.trim().is_empty() {
            return Err(KeyListFault::Empty);
        }
        let mut keys: Vec<MasterKey> = Vec::new();
        for (number, entry) in (1..).zip(text.split(',')) {
            let key = parse_entry(number, entry.trim())?;
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(KeyListFault::Repeated(number));
            }
            keys.push(key);
        }
        let older = keys.split_off(1);
        let newest = keys.pop().ok_or(KeyListFault::Empty)?;
        Ok(Self { newest, older })
    }

    /// The one that wraps from now on.
    pub fn newest(&self) -> &MasterKey {
        &self.newest
    }

    /// The one with this id.
    pub fn find(&self, id: &str) -> Option<&MasterKey> {
        std::iter::once(&self.newest)
            .chain(&self.older)
            .find(|key| key.id == id)
    }
}

fn parse_entry(number: usize, entry: &str) -> Result<MasterKey, KeyListFault> {
    let (id, key) = entry.split_once(':').ok_or(KeyListFault::Form(number))?;
    let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if id.is_empty() || id.len() > MAX_ID_LENGTH || !id.chars().all(lawful) {
        return Err(KeyListFault::Id(number));
    }
    let bytes = BASE64.decode(key).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| KeyListFault::Key(number))?;
    Ok(MasterKey {
        id: id.to_owned(),
        bytes: <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KeyListFault::Key(number))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEVENS: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

    proptest! {
        #[test]
        fn a_written_list_is_read_back(keys in prop::collection::btree_map("[A-Za-z0-9._-]{1,64}", any::<[u8; 32]>(), 1..5)) {
            let text: Vec<String> = keys.iter().map(|(id, key)| format!("{id}:{}", BASE64.encode(key))).collect();
            let read = MasterKeys::parse(&text.join(",")).unwrap();
            prop_assert_eq!(Some(&read.newest().id), keys.keys().next());
            for (id, key) in &keys {
                prop_assert_eq!(&read.find(id).unwrap().bytes, key);
            }
        }

        #[test]
        fn no_text_makes_the_parser_fail_other_than_by_an_error(text: String) {
            let _ = MasterKeys::parse(&text);
        }
    }

    #[test]
    fn each_fault_is_named_with_its_entry_and_without_the_key() {
        let cases = [
            (String::new(), KeyListFault::Empty),
            (" \n".to_owned(), KeyListFault::Empty),
            (SEVENS.to_owned(), KeyListFault::Form(1)),
            (format!(":{SEVENS}"), KeyListFault::Id(1)),
            (format!("a b:{SEVENS}"), KeyListFault::Id(1)),
            (format!("a:{SEVENS},"), KeyListFault::Form(2)),
            (format!("a:{SEVENS},b:BwcHBw"), KeyListFault::Key(2)),
            (format!("a:{SEVENS},b:{SEVENS}Bw"), KeyListFault::Key(2)),
            (format!("a:{SEVENS},a:{SEVENS}"), KeyListFault::Repeated(2)),
        ];
        for (text, fault) in cases {
            let found = MasterKeys::parse(&text).unwrap_err();
            assert_eq!(found, fault);
            assert!(!format!("{found} {found:?}").contains("BwcH"));
        }
    }

    #[test]
    fn padding_and_a_last_newline_are_optional() {
        let keys = MasterKeys::parse(&format!("a:{}\n", SEVENS.trim_end_matches('='))).unwrap();
        assert_eq!(keys.newest().bytes, [7; 32]);
    }

    #[test]
    fn master_keys_do_not_print() {
        let keys = MasterKeys::parse(&format!("a:{SEVENS}")).unwrap();
        let printed = format!("{keys:?}");
        assert!(!printed.contains("BwcH") && !printed.contains("7, 7"));
    }
}
