//! Encryption of personal data: each owner's data key seals the fields, a master key wraps the data keys. Master keys
//! rotate by rewrapping, which leaves the data keys, and so everything sealed and indexed, as they are.

mod data_key;
mod master_keys;
mod sealing;

pub use data_key::{DataKey, open_under, seal_under};
pub use master_keys::{MasterKey, MasterKeys};

use crate::{
    domain::{
        error::{Error, Result},
        secret::WrappedKey,
    },
    infra::entropy::Entropy,
};
use anyhow::anyhow;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Makes, wraps and unwraps data keys.
#[derive(Debug, Clone)]
pub struct Vault {
    keys: Arc<MasterKeys>,
    entropy: Entropy,
}

impl Vault {
    /// Wraps under the newest of the keys and unwraps under any of them.
    pub fn new(keys: MasterKeys, entropy: Entropy) -> Self {
        Self {
            keys: Arc::new(keys),
            entropy,
        }
    }

    /// A key that nobody has yet; worth nothing until its wrapped form is stored.
    pub fn new_data_key(&self) -> DataKey {
        DataKey::from_root(Zeroizing::new(self.entropy.bytes()))
    }

    /// The form in which a data key is stored; it can be unwrapped only as that of the same owner.
    pub fn wrap(&self, key: &DataKey, owner: &str) -> Result<WrappedKey> {
        let master = self.keys.newest();
        Ok(WrappedKey {
            master_key_id: master.id.clone(),
            bytes: sealing::seal(&wrapping(master), owner, key.root(), &self.entropy)?,
        })
    }

    /// The data key; an internal error names the master key that is missing or does not fit.
    pub fn unwrap(&self, wrapped: &WrappedKey, owner: &str) -> Result<DataKey> {
        let id = &wrapped.master_key_id;
        let master = self.keys.find(id).ok_or_else(|| {
            Error::internal(anyhow!("master key `{id}` is not in ENCRYPTION_KEYS"))
        })?;
        let root = sealing::open(&wrapping(master), owner, &wrapped.bytes)
            .and_then(|root| <[u8; 32]>::try_from(root.as_slice()).ok())
            .ok_or_else(|| {
                Error::internal(anyhow!(
                    "a data key was not wrapped by master key `{id}` for this owner"
                ))
            })?;
        Ok(DataKey::from_root(Zeroizing::new(root)))
    }

    /// The same data key under the newest master key.
    pub fn rewrap(&self, wrapped: &WrappedKey, owner: &str) -> Result<WrappedKey> {
        self.wrap(&self.unwrap(wrapped, owner)?, owner)
    }

    /// The master key that wraps from now on.
    pub fn current_master_key_id(&self) -> &str {
        &self.keys.newest().id
    }

    /// Whether keys wrapped by this master key can be unwrapped.
    pub fn knows(&self, master_key_id: &str) -> bool {
        self.keys.find(master_key_id).is_some()
    }
}

fn wrapping(master: &MasterKey) -> sealing::Key {
    sealing::derive(&master.bytes, "usher/1/wrap")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn vault(keys: &[&str]) -> Vault {
        let keys = MasterKeys::parse(&keys.join(",")).unwrap();
        Vault::new(keys, Entropy::seeded(1))
    }

    #[test]
    fn a_wrapped_key_opens_what_it_sealed_before() {
        let vault = vault(&[OLD]);
        let key = vault.new_data_key();
        let sealed = key.seal("f", b"plain", &Entropy::seeded(2)).unwrap();
        let wrapped = vault.wrap(&key, "user 1").unwrap();
        let again = vault.unwrap(&wrapped, "user 1").unwrap();
        assert_eq!(again.open("f", &sealed).unwrap().as_slice(), b"plain");
    }

    #[test]
    fn a_key_cannot_be_unwrapped_as_that_of_another_owner() {
        let vault = vault(&[OLD]);
        let wrapped = vault.wrap(&vault.new_data_key(), "user 1").unwrap();
        assert!(vault.unwrap(&wrapped, "user 2").is_err());
    }

    #[test]
    fn a_changed_or_cut_wrapping_is_refused() {
        let vault = vault(&[OLD]);
        let wrapped = vault.wrap(&vault.new_data_key(), "user 1").unwrap();
        for at in 0..wrapped.bytes.len() {
            let mut changed = wrapped.clone();
            changed.bytes[at] ^= 0x80;
            assert!(vault.unwrap(&changed, "user 1").is_err());
            changed.bytes.truncate(at);
            assert!(vault.unwrap(&changed, "user 1").is_err());
        }
    }

    #[test]
    fn a_missing_master_key_is_named() {
        let wrapped = vault(&[OLD])
            .wrap(&vault(&[OLD]).new_data_key(), "user 1")
            .unwrap();
        let Err(Error::Internal(error)) = vault(&[NEW]).unwrap(&wrapped, "user 1") else {
            panic!("must not unwrap");
        };
        assert_eq!(
            error.to_string(),
            "master key `old` is not in ENCRYPTION_KEYS"
        );
    }

    #[test]
    fn rewrapping_changes_the_master_key_and_keeps_the_data_key() {
        let before = vault(&[OLD]);
        let key = before.new_data_key();
        let wrapped = before.wrap(&key, "user 1").unwrap();

        let after = vault(&[NEW, OLD]);
        assert_eq!(after.current_master_key_id(), "new");
        let rewrapped = after.rewrap(&wrapped, "user 1").unwrap();
        assert_eq!(rewrapped.master_key_id, "new");

        let without_old = vault(&[NEW]);
        assert!(without_old.knows("new") && !without_old.knows("old"));
        let again = without_old.unwrap(&rewrapped, "user 1").unwrap();
        assert_eq!(again.blind_index("k", "v"), key.blind_index("k", "v"));
    }

    #[test]
    fn two_data_keys_differ() {
        let vault = vault(&[OLD]);
        let [one, two] = [vault.new_data_key(), vault.new_data_key()];
        assert_ne!(one.blind_index("k", "v"), two.blind_index("k", "v"));
    }
}
