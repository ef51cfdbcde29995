//! Passwords that anybody who knows the person would try first: the product, the address, the names, alone or padded.
//! A passphrase that merely mentions such a word is lawful; see [`LITTLE_ELSE`].

use crate::domain::email::EmailAddress;
use zeroize::Zeroizing;

const PRODUCT: &str = "usher";

/// From this length a word counts wherever it stands in the password.
const TELLING: usize = 4;
/// So many other characters beside such words, digits and punctuation are not counted as a secret of their own.
const LITTLE_ELSE: usize = 3;
/// Words under this length occur in anything.
const SHORTEST: usize = 2;

/// What is known of the person whose password it is to be.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    pub email: Option<&'a EmailAddress>,
    pub username: Option<&'a str>,
    pub full_name: Option<&'a str>,
}

impl Context<'_> {
    /// Whether the password is one of the context words or little more.
    pub(super) fn gives_away(&self, password: &str) -> bool {
        let password = compact(password);
        let words = self.words();
        if words.iter().any(|word| is_padded(&password, word)) {
            return true;
        }
        let mut rest = password.clone();
        for word in words.iter().filter(|word| word.chars().count() >= TELLING) {
            rest = Zeroizing::new(rest.replace(word, ""));
        }
        rest.len() < password.len() && secret_part(&rest).count() <= LITTLE_ELSE
    }

    /// The words in compact form, longest first, so that a whole name goes before its parts.
    fn words(&self) -> Vec<String> {
        let mut texts = vec![PRODUCT];
        if let Some(email) = self.email {
            texts.extend([email.as_str(), email.local()]);
            texts.extend(email.local().split(['+', '.', '-', '_']));
        }
        for name in [self.username, self.full_name].into_iter().flatten() {
            texts.push(name);
            texts.extend(name.split(|c: char| !c.is_alphanumeric()));
        }
        let mut words: Vec<String> = texts
            .into_iter()
            .map(|text| compact(text).to_string())
            .collect();
        words.retain(|word| {
            let length = word.chars().count();
            length >= TELLING || length >= SHORTEST && word.contains(char::is_alphabetic)
        });
        words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        words
    }
}

/// Lower case without white space and ASCII punctuation, which people put in to fill up.
fn compact(text: &str) -> Zeroizing<String> {
    let lower = Zeroizing::new(text.to_lowercase());
    let mut kept = super::composed(&lower);
    kept.retain(|c| !c.is_ascii_punctuation() && !c.is_whitespace());
    kept
}

/// The word once or repeatedly, filled up with digits or one repeated character.
fn is_padded(password: &str, word: &str) -> bool {
    if !password.contains(word) {
        return false;
    }
    let rest = Zeroizing::new(password.replace(word, ""));
    let mut secret = secret_part(&rest);
    secret.next().is_none_or(|first| secret.all(|c| c == first))
}

fn secret_part(rest: &str) -> impl Iterator<Item = char> + '_ {
    rest.chars().filter(|c| !c.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gives_away(password: &str) -> bool {
        let email = EmailAddress::parse("ada.lovelace+news@example.com").unwrap();
        Context {
            email: Some(&email),
            username: Some("countess_88"),
            full_name: Some("Augusta Ada King-Noel"),
        }
        .gives_away(password)
    }

    #[test]
    fn a_context_word_alone_or_padded_is_refused() {
        for password in [
            "Usher",
            "usher1234567",
            "USHER!!!!!!!",
            "usherUsher1",
            "ada.lovelace",
            "AdaLovelace1",
            "Lovelace1815",
            "lovelaceQQQQQQQ1",
            "1234lovelace!!!",
            "l.o.v.e.l.a.c.e.1",
            "ada.lovelace+news@example.com",
            "Countess_88",
            "countess88A",
            "My-countess-1",
            "Augusta Ada King-Noel",
            "AugustaAdaKingNoel1",
            "Ada Ada Ada 1",
            "adaadaada123",
            "lovelace usher 1",
        ] {
            assert!(gives_away(password), "{password}");
        }
    }

    #[test]
    fn passwords_with_a_secret_of_their_own_are_lawful() {
        for password in [
            "SecurePass123",
            "violet kettle anchors marsh",
            "lovelace kettle anchors",
            "ada likes long walks",
            "the usher waits outside",
            "countess of nowhere",
            "Tr0ub4dor&3",
            "Adamantium42",
        ] {
            assert!(!gives_away(password), "{password}");
        }
    }

    #[test]
    fn a_one_letter_address_forbids_nothing() {
        let email = EmailAddress::parse("a@x.io").unwrap();
        let context = Context {
            email: Some(&email),
            ..Context::default()
        };
        assert!(!context.gives_away("A1!2@3#4$5%6^7&"));
        assert!(!context.gives_away("banana bread"));
        assert!(context.gives_away("a@x.io!!"));
    }

    #[test]
    fn an_unknown_person_has_only_the_product_name() {
        assert!(Context::default().gives_away("usher-2024"));
        assert!(!Context::default().gives_away("alice-2024"));
    }

    proptest! {
        #[test]
        fn the_local_part_padded_to_length_is_refused(
            local in "[a-z][a-z0-9]{1,20}", pad in "[0-9!?.#-]{0,12}", repeat in 1_usize..4
        ) {
            let email = EmailAddress::parse(&format!("{local}@example.com")).unwrap();
            let context = Context { email: Some(&email), ..Context::default() };
            let repeated = local.repeat(repeat);
            let padded = format!("{repeated}{pad}");
            prop_assert!(context.gives_away(&padded));
            let padded = format!("{pad}{}", local.to_uppercase());
            prop_assert!(context.gives_away(&padded));
        }

        #[test]
        fn any_password_is_answered(password in any::<String>(), name in any::<String>()) {
            let context = Context { email: None, username: Some(&name), full_name: Some(&name) };
            let _ = context.gives_away(&password);
        }
    }
}
