//! The secret of a webhook and what is signed with it: the symmetric scheme of Standard Webhooks 1.0.

use super::{Timestamp, secret::Secret};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What tells the receiver that a message is ours; neither prints nor logs.
#[derive(Debug, Clone)]
pub struct WebhookSecret(Secret);

impl WebhookSecret {
    /// A secret of these random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// The raw bytes, to be sealed.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.bytes()
    }

    /// The wire form: `whsec_` and base64. Only for the one who made the webhook.
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0.bytes()))
    }

    /// One item of `webhook-signature`: `v1,` and base64 of HMAC-SHA256 of `id.timestamp.body`.
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        // A key of exactly one block cannot be refused; HMAC itself pads shorter ones with zeros.
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(self.0.bytes()) {
            *to = *from;
        }
        let mut mac = <Hmac<Sha256>>::new((&*block).into());
        mac.update(format!("{id}.{}.", at.timestamp()).as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standards_example() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        // The example's key is shorter; zeros behind it change nothing.
        let mut bytes = [0; 32];
        bytes[..key.len()].copy_from_slice(&key);
        let at = Timestamp::from_timestamp(1_614_265_330, 0).unwrap();
        let signature = WebhookSecret::from_random(bytes).sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_shown_as_the_standard_says_and_does_not_print() {
        let secret = WebhookSecret::from_random([0xfb; 32]);
        let shown = secret.reveal();
        assert!(
            shown.starts_with("whsec_+/v7") && shown.ends_with('='),
            "{shown}"
        );
        assert_eq!(shown.len(), 6 + 44);
        assert!(!format!("{secret:?}").contains("+/v7"));
    }
}
