//! The token in what people paste into a form: the code alone, or the whole link from the mail.

/// The value of the last `token=`, else all of it without the blanks around; whether it is a token is for others to say.
pub fn pasted_token(pasted: &str) -> &str {
    let pasted = pasted.trim();
    let token = pasted
        .rsplit_once("token=")
        .map_or(pasted, |(_, token)| token);
    let end = token.find(['&', '#']).unwrap_or(token.len());
    token.get(..end).unwrap_or(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_is_found_in_every_form_of_its_link(token in "[A-Za-z0-9_-]{1,50}") {
            for pasted in [
                token.clone(),
                format!("  {token}\n"),
                format!("https://id.example.com/reset-password#token={token}"),
                format!("https://id.example.com/verify-email?token={token}&lang=en"),
                format!("<https://id.example.com/x?a=b&token={token}#top"),
            ] {
                prop_assert_eq!(pasted_token(&pasted), token.as_str());
            }
        }

        #[test]
        fn any_text_can_be_pasted(pasted in "\\PC{0,60}") {
            prop_assert!(pasted.contains(pasted_token(&pasted)));
        }
    }
}
