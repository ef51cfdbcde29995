//! The pages for people and the headers they leave with. A page loads nothing from anywhere: its one stylesheet and its
//! scripts stand in it, and the nonce lets only those in.

use super::{
    notice::{Next, Notice, Tone},
    wording::{EmailChangeStep, EmailFormPurpose, PasswordPurpose},
};
use crate::domain::Timestamp;
use askama::Template;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Lets the stylesheet and the scripts of one answer in, and nothing else (CSP 3); never used for a second answer.
#[derive(Debug)]
pub struct Nonce(String);

impl Nonce {
    /// A nonce of these random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// As it stands in the header and in the page.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is around every page.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub nonce: &'a Nonce,
    /// Host of the public URL: the name by which people know the deployment.
    pub host: &'a str,
}

/// An account that waits for the owner of its address.
#[derive(Debug)]
pub struct WaitingAccount {
    pub email: String,
    /// When it was opened, in words.
    pub at: String,
}

/// `21 November 2026, 14:05 UTC`.
pub fn date_time(at: Timestamp) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// Asks for the one click that a mail scanner does not make. POSTs `token` to `/verify-email`, or to
/// `/verify-email/decline` by who did not open the account.
#[derive(Template)]
#[template(path = "web/verify_email.html")]
pub struct VerifyEmailPage<'a> {
    pub frame: Frame<'a>,
    pub token: &'a str,
    /// None if the link has run out, which the answer to the form explains.
    pub account: Option<WaitingAccount>,
}

/// Asks for an address to which a mail goes. POSTs `email` to the purpose's path.
#[derive(Template)]
#[template(path = "web/email_form.html")]
pub struct EmailFormPage<'a> {
    pub frame: Frame<'a>,
    pub purpose: EmailFormPurpose,
    /// As it was typed, when the form comes back.
    pub email: &'a str,
    pub problem: Option<&'a str>,
}

/// Takes the token from the fragment. POSTs `token`, `new_password`, `confirm_password` to the purpose's path; `token`
/// can be a whole pasted link, see [`pasted_token`](super::pasted::pasted_token).
#[derive(Template)]
#[template(path = "web/password.html")]
pub struct PasswordPage<'a> {
    pub frame: Frame<'a>,
    pub purpose: PasswordPurpose,
    /// When the form comes back; else empty.
    pub token: &'a str,
    /// What a password must be, in one or two sentences.
    pub policy: &'a str,
    /// A problem of the whole form.
    pub problem: Option<&'a str>,
    /// Field and message.
    pub errors: &'a [(&'a str, &'a str)],
}

impl<'a> PasswordPage<'a> {
    fn errors_of(&self, field: &str) -> Vec<&'a str> {
        let of_field = self.errors.iter().filter(|(name, _)| *name == field);
        of_field.map(|(_, message)| *message).collect()
    }
}

/// Takes the token from the fragment. POSTs `token` to the step's path.
#[derive(Template)]
#[template(path = "web/email_change.html")]
pub struct EmailChangePage<'a> {
    pub frame: Frame<'a>,
    pub step: EmailChangeStep,
    /// When the form comes back; else empty.
    pub token: &'a str,
    pub problem: Option<&'a str>,
}

/// Says how something ended, and what to do next.
#[derive(Template)]
#[template(path = "web/notice.html")]
pub struct NoticePage<'a> {
    pub frame: Frame<'a>,
    pub tone: Tone,
    pub title: &'a str,
    pub lines: &'a [&'a str],
    pub next: Option<Next>,
}

impl<'a> NoticePage<'a> {
    /// A page for an answer; its status is the notice's.
    pub fn new(frame: Frame<'a>, notice: &'a Notice) -> Self {
        Self {
            frame,
            tone: notice.tone,
            title: notice.title,
            lines: &notice.lines,
            next: notice.next,
        }
    }
}

/// Answers with the page. It belongs in no cache, no frame and no referrer.
pub fn respond(nonce: &Nonce, status: StatusCode, page: &impl Template) -> Response {
    let nonce = format!("'nonce-{}'", nonce.as_str());
    answer(
        status,
        page,
        &format!("style-src {nonce}; script-src {nonce}"),
    )
}

/// Answers with the development mailbox: without scripts, but with the inline styles of the mails that it frames, since a
/// framed document is bound by the policy of the page around it.
pub fn respond_mailbox(page: &super::mailbox::MailboxPage<'_>) -> Response {
    answer(
        StatusCode::OK,
        page,
        "style-src 'unsafe-inline'; frame-src 'self'",
    )
}

fn answer(status: StatusCode, page: &impl Template, sources: &str) -> Response {
    let policy = format!(
        "default-src 'none'; {sources}; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         connect-src 'none'"
    );
    let mut response = match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset_page(token: &str, errors: &[(&str, &str)]) -> String {
        let nonce = Nonce::from_random([7; 16]);
        PasswordPage {
            frame: Frame {
                nonce: &nonce,
                host: "id.example.com",
            },
            purpose: PasswordPurpose::Reset,
            token,
            policy: "At least 8 characters.",
            problem: None,
            errors,
        }
        .render()
        .unwrap()
    }

    #[test]
    fn a_page_lets_in_only_what_carries_its_nonce() {
        let nonce = Nonce::from_random([7; 16]);
        let frame = Frame {
            nonce: &nonce,
            host: "id.example.com",
        };
        let page = VerifyEmailPage {
            frame,
            token: "abc",
            account: None,
        };
        let response = respond(&nonce, StatusCode::OK, &page);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; style-src 'nonce-BwcHBwcHBwcHBwcHBwcHBw'; script-src 'nonce-BwcHBwcHBwcHBwcHBwcHBw'; \
             img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; connect-src 'none'"
        );
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
    }

    #[test]
    fn no_script_or_style_stands_without_a_nonce() {
        let html = reset_page("", &[]);
        for tag in ["<script", "<style"] {
            let with_nonce = format!("{tag} nonce=\"BwcHBwcHBwcHBwcHBwcHBw\">");
            assert!(html.matches(tag).count() >= 1);
            assert_eq!(html.matches(tag).count(), html.matches(&with_nonce).count());
        }
        assert!(!html.contains(" style=") && !html.contains(" onclick="));
    }

    #[test]
    fn what_was_typed_comes_back_as_text() {
        let html = reset_page("\"><script>alert(1)</script>", &[]);
        assert!(!html.contains("<script>alert"), "{html}");
    }

    #[test]
    fn an_error_is_tied_to_its_field() {
        let html = reset_page("t", &[("confirm_password", "The two differ.")]);
        assert!(html.contains("aria-invalid=\"true\" aria-describedby=\"confirm_password-error\""));
        assert!(html.contains("The two differ."));
        assert!(!html.contains("new_password-error"));
        assert!(html.contains("<title>Error: "));
    }
}
