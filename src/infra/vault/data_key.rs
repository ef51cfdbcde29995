//! The key of one owner (a person, or the deployment itself): seals fields and indexes values. Destroying it is how a
//! person is forgotten. What it has sealed carries a version byte; a new format gets a new number.

use super::sealing::{self, Key};
use crate::{
    domain::{
        error::{Error, Result},
        secret::{BlindIndex, Sealed, Secret},
    },
    infra::entropy::Entropy,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The first byte of everything sealed.
const VERSION: u8 = 1;

/// The key of one owner; wiped when the last clone is dropped.
#[derive(Clone)]
pub struct DataKey(Arc<Keys>);

struct Keys {
    /// What is wrapped and kept.
    root: Key,
    sealing: Key,
    index: Key,
}

impl DataKey {
    /// The key with these bytes.
    pub(super) fn from_root(root: Key) -> Self {
        Self(Arc::new(Keys {
            sealing: sealing::derive(&root, "usher/1/seal"),
            index: sealing::derive(&root, "usher/1/blind-index"),
            root,
        }))
    }

    /// What is wrapped and kept.
    pub(super) fn root(&self) -> &[u8; 32] {
        &self.0.root
    }

    /// Seals a value for one field (`users.email`); it cannot be opened as any other.
    pub fn seal(&self, field: &str, plain: &[u8], entropy: &Entropy) -> Result<Sealed> {
        seal(&self.0.sealing, field, plain, entropy)
    }

    /// The value, or an internal error if owner, field or bytes are not those that were sealed.
    pub fn open(&self, field: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
        open(&self.0.sealing, field, sealed)
    }

    /// The seed of a key pair for this use; the same each time, so that it need not be kept.
    pub fn seed(&self, label: &str) -> Zeroizing<[u8; 32]> {
        sealing::derive(&self.0.root, label)
    }

    /// The same for the same kind and value under the same key, and telling nothing without it. What must be found
    /// across people is indexed under the deployment's own data key, which master key rotation leaves as it is.
    pub fn blind_index(&self, kind: &str, value: &str) -> BlindIndex {
        BlindIndex(sealing::mac(
            &self.0.index,
            &[kind.as_bytes(), value.as_bytes()],
        ))
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(***)")
    }
}

/// Seals for whoever holds the secret, of which we keep only the digest: we cannot open it ourselves.
pub fn seal_under(
    secret: &Secret,
    purpose: &str,
    plain: &[u8],
    entropy: &Entropy,
) -> Result<Sealed> {
    let key = sealing::derive(secret.bytes(), "usher/1/seal-under");
    seal(&key, purpose, plain, entropy)
}

/// Opens what was sealed under this secret for this purpose.
pub fn open_under(secret: &Secret, purpose: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
    let key = sealing::derive(secret.bytes(), "usher/1/seal-under");
    open(&key, purpose, sealed)
}

fn seal(key: &Key, context: &str, plain: &[u8], entropy: &Entropy) -> Result<Sealed> {
    let mut bytes = vec![VERSION];
    bytes.extend(sealing::seal(key, context, plain, entropy)?);
    Ok(Sealed(bytes))
}

fn open(key: &Key, context: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
    let (plain, why) = match sealed.0.split_first() {
        Some((&VERSION, rest)) => (
            sealing::open(key, context, rest),
            "not sealed by this key for this field",
        ),
        Some(_) => (None, "sealed by a newer version"),
        None => (None, "empty"),
    };
    plain.ok_or_else(|| Error::internal(anyhow::anyhow!("{context} cannot be opened: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn key(byte: u8) -> DataKey {
        DataKey::from_root(Zeroizing::new([byte; 32]))
    }

    proptest! {
        #[test]
        fn what_is_sealed_can_be_opened(plain: Vec<u8>, field in "[a-z_.]{1,30}", seed: u64) {
            let sealed = key(1).seal(&field, &plain, &Entropy::seeded(seed)).unwrap();
            prop_assert_eq!(key(1).open(&field, &sealed).unwrap().to_vec(), plain);
        }

        #[test]
        fn other_bytes_never_open(bytes: Vec<u8>) {
            prop_assert!(key(1).open("users.email", &Sealed(bytes)).is_err());
        }
    }

    #[test]
    fn a_value_opens_only_in_its_field_and_under_its_key() {
        let entropy = Entropy::seeded(1);
        let sealed = key(1).seal("users.email", b"a@x.io", &entropy).unwrap();
        assert!(key(1).open("users.email", &sealed).is_ok());
        assert!(key(1).open("users.phone", &sealed).is_err());
        assert!(key(2).open("users.email", &sealed).is_err());
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let sealed = key(1)
            .seal("users.email", b"a@x.io", &Entropy::seeded(1))
            .unwrap();
        for at in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[at] ^= 1;
            assert!(key(1).open("users.email", &changed).is_err(), "byte {at}");
            let cut = Sealed(sealed.0[..at].to_vec());
            assert!(key(1).open("users.email", &cut).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_newer_version_is_named_in_the_error_and_the_value_is_not() {
        let mut sealed = key(1)
            .seal("users.email", b"a@x.io", &Entropy::seeded(1))
            .unwrap();
        sealed.0[0] = 2;
        let Err(Error::Internal(error)) = key(1).open("users.email", &sealed) else {
            panic!("must not open");
        };
        assert_eq!(
            error.to_string(),
            "users.email cannot be opened: sealed by a newer version"
        );
    }

    #[test]
    fn v11_3_4_a_million_seals_have_as_many_nonces() {
        let (key, entropy) = (key(1), Entropy::seeded(1));
        let nonces: HashSet<[u8; 12]> = (0..1_000_000)
            .map(|_| {
                key.seal("f", b"", &entropy).unwrap().0[1..13]
                    .try_into()
                    .unwrap()
            })
            .collect();
        assert_eq!(nonces.len(), 1_000_000);
    }

    #[test]
    fn a_blind_index_depends_on_kind_value_and_key() {
        let index = key(1).blind_index("email", "a@x.io");
        assert_eq!(index, key(1).blind_index("email", "a@x.io"));
        assert_ne!(index, key(1).blind_index("phone", "a@x.io"));
        assert_ne!(index, key(1).blind_index("email", "b@x.io"));
        assert_ne!(index, key(2).blind_index("email", "a@x.io"));
    }

    #[test]
    fn only_the_holder_of_the_secret_opens_what_is_sealed_under_it() {
        let entropy = Entropy::seeded(1);
        let [mine, other] = [5, 6].map(|byte| Secret::from_random([byte; 32]));
        let sealed = seal_under(&mine, "successor", b"next", &entropy).unwrap();
        let opened = open_under(&mine, "successor", &sealed).unwrap();
        assert_eq!(opened.as_slice(), b"next");
        assert!(open_under(&other, "successor", &sealed).is_err());
        assert!(open_under(&mine, "other", &sealed).is_err());
        // The digest, which is stored beside it, is not the key.
        let digest = Secret::from_random(mine.digest().0);
        assert!(open_under(&digest, "successor", &sealed).is_err());
    }

    #[test]
    fn a_data_key_does_not_print() {
        assert_eq!(format!("{:?}", key(1)), "DataKey(***)");
    }
}
