//! The one place that encrypts: AES-256-GCM-SIV (RFC 8452), which bears a repeated nonce without giving the key away.
//! Every use has a key of its own, derived by HMAC-SHA256; the labels are part of the stored format.

use crate::{
    domain::error::{Error, Result},
    infra::entropy::Entropy,
};
use aes_gcm_siv::{
    Aes256GcmSiv, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Length of the nonce that goes before the ciphertext.
const NONCE_LENGTH: usize = 12;

/// A key that is wiped when dropped.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// The key of one use of `key`.
pub(super) fn derive(key: &[u8; 32], label: &str) -> Key {
    Zeroizing::new(mac(key, &[label.as_bytes()]))
}

/// HMAC-SHA256 of the parts, each preceded by its length, so that no two lists of parts read the same.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key of exactly one block cannot be refused; HMAC itself pads shorter ones with zeros.
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Nonce and ciphertext; `context` must be shown again to open it.
pub(super) fn seal(
    key: &[u8; 32],
    context: &str,
    plain: &[u8],
    entropy: &Entropy,
) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE_LENGTH] = entropy.bytes();
    let ciphertext = Aes256GcmSiv::new(key.into())
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: plain,
                aad: context.as_bytes(),
            },
        )
        .map_err(|_| Error::internal(anyhow::anyhow!("{context}: too long to be sealed")))?;
    Ok([nonce.as_slice(), &ciphertext].concat())
}

/// The plain text, if key and context are those it was sealed with and not a bit has changed.
pub(super) fn open(key: &[u8; 32], context: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let payload = Payload {
        msg: ciphertext,
        aad: context.as_bytes(),
    };
    let plain = Aes256GcmSiv::new(key.into()).decrypt(&Nonce::from(*nonce), payload);
    plain.ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cipher_is_that_of_rfc_8452() {
        // Appendix C.2, the 8 byte plain text with 1 byte of associated data.
        let mut key = [0; 32];
        key[0] = 1;
        let mut sealed = vec![3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        sealed.extend([
            0x1d, 0xe2, 0x29, 0x67, 0x23, 0x7a, 0x81, 0x32, 0x91, 0x21, 0x3f, 0x26, 0x7e, 0x3b,
            0x45, 0x2f, 0x02, 0xd0, 0x1a, 0xe3, 0x3e, 0x4e, 0xc8, 0x54,
        ]);
        let plain = open(&key, "\u{1}", &sealed).unwrap();
        assert_eq!(plain.as_slice(), [2, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn parts_are_told_apart_by_their_lengths() {
        let key = [7; 32];
        assert_ne!(mac(&key, &[b"ab", b"c"]), mac(&key, &[b"a", b"bc"]));
        assert_ne!(mac(&key, &[b"abc"]), mac(&key, &[b"abc", b""]));
    }
}
