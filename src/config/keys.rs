//! Master keys that wrap each person's data key. Only their shape is judged here; the vault makes keys of them.

use super::{reader::Reader, setting::Setting};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;

/// A key with fewer different bytes than this was typed, not drawn: chance gives 32 bytes about 30.
const LEAST_VARIETY: usize = 12;

pub(super) const SETTINGS: &[Setting] = &[Setting::secret(
    "ENCRYPTION_KEYS",
    "Master keys as `id:base64` of 32 bytes each, newest first, separated by commas; production needs it, development makes one in `DATA_DIR`.",
)];

/// Master keys.
#[derive(Debug, Clone)]
pub struct KeysConfig {
    /// `id:base64`, newest first, separated by commas; `None` only in development.
    pub encryption_keys: Option<SecretString>,
}

impl KeysConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let encryption_keys = reader.secret("ENCRYPTION_KEYS");
        match &encryption_keys {
            Some(keys) => check(reader, keys),
            None if reader.is_production() => {
                reader.refuse("ENCRYPTION_KEYS", "must be set in production");
            }
            None => {}
        }
        Self { encryption_keys }
    }
}

fn check(reader: &mut Reader, keys: &SecretString) {
    let mut ids = BTreeSet::new();
    let mut count = 0_usize;
    for item in keys.expose_secret().split(',') {
        count = count.saturating_add(1);
        let Some((id, key)) = parse(item.trim()) else {
            reader.refuse(
                "ENCRYPTION_KEYS",
                "must be of the form id:base64,id:base64 with 32 bytes in each key",
            );
            return;
        };
        ids.insert(id);
        let variety = key.iter().collect::<BTreeSet<_>>().len();
        if reader.is_production() && variety < LEAST_VARIETY {
            reader.refuse("ENCRYPTION_KEYS", "must be drawn at random in production");
        }
    }
    if ids.len() < count {
        reader.refuse("ENCRYPTION_KEYS", "must give each key an id of its own");
    }
}

fn parse(item: &str) -> Option<(&str, Zeroizing<Vec<u8>>)> {
    let (id, key) = item.split_once(':')?;
    let named = !id.is_empty()
        && id.len() <= 64
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let key = Zeroizing::new(STANDARD.decode(key).ok()?);
    (named && key.len() == KEY_BYTES).then_some((id, key))
}
