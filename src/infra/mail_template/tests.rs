//! What every mail promises its reader.

use super::*;
use crate::domain::webhook::DisabledReason;

const LINK: &str = "https://id.example.com/reset-password#token=AbC-_9&x=1";

fn every_mail() -> Vec<Mail> {
    let at = "2026-11-21T14:05:09Z".parse().unwrap();
    let link = || LINK.to_owned();
    let device = || "Firefox on Linux".to_owned();
    vec![
        Mail::VerifyEmail { link: link() },
        Mail::PasswordReset { link: link() },
        Mail::PasswordResetRequired { link: link() },
        Mail::AccountExists { reset_link: link() },
        Mail::PasswordChanged {
            at,
            reset_link: link(),
        },
        Mail::UsernameChanged {
            at,
            reset_link: link(),
        },
        Mail::ConfirmEmailChange { link: link() },
        Mail::EmailChanged {
            at,
            link: link(),
            undo_ttl: Duration::from_hours(72),
        },
        Mail::NewDevice {
            at,
            device: device(),
            ip: "2001:DB8::1".to_owned(),
            reset_link: link(),
        },
        Mail::SessionEnded {
            at,
            device: device(),
            reset_link: link(),
        },
        Mail::AccountLocked {
            at,
            reset_link: link(),
        },
        Mail::AccountTerminated { at },
        Mail::EmailReplaced { at },
        Mail::WebhookDisabled {
            at,
            id: uuid::Uuid::from_u128(7).into(),
            host: "hooks.example.org".to_owned(),
            why: DisabledReason::Failing,
        },
    ]
}

fn rendered(mail: &Mail, name: &str) -> Message {
    let context = MailContext {
        public_host: "id.example.com",
        name: Some(name),
    };
    render(mail, &context, "bob@example.com").unwrap()
}

#[test]
fn every_mail_names_the_place_in_its_one_line_subject() {
    for mail in every_mail() {
        let subject = rendered(&mail, "Bob").subject;
        assert!(subject.contains("id.example.com"), "{subject}");
        assert!(
            subject.trim() == subject && !subject.contains('\n'),
            "{subject:?}"
        );
    }
}

#[test]
fn a_link_stands_on_a_line_of_its_own_and_behind_the_button() {
    for mail in every_mail() {
        let message = rendered(&mail, "Bob");
        let lines = message.text.lines().filter(|line| *line == LINK).count();
        let hrefs = message
            .html
            .matches("href=\"https://id.example.com/reset-password#token=AbC-_9&#38;x=1\"")
            .count();
        let expected = usize::from(format!("{mail:?}").contains("link"));
        assert_eq!(
            (lines, hrefs),
            (expected, 2 * expected),
            "{}",
            mail.template()
        );
    }
}

#[test]
fn what_a_mail_knows_is_in_both_parts() {
    for mail in every_mail() {
        let message = rendered(&mail, "Bob");
        let known = format!("{mail:?}");
        for (field, said) in [
            ("at:", "21 November 2026, 14:05 UTC"),
            ("device:", "Firefox on Linux"),
            ("ip:", "2001:db8::1"),
        ] {
            let expected = known.contains(field);
            assert_eq!(
                message.text.contains(said),
                expected,
                "{field} {}",
                mail.template()
            );
            assert_eq!(
                message.html.contains(said),
                expected,
                "{field} {}",
                mail.template()
            );
        }
    }
}

#[test]
fn no_mail_loads_anything() {
    for mail in every_mail() {
        let html = rendered(&mail, "Bob")
            .html
            .replace(&LINK.replace('&', "&#38;"), "");
        for loader in ["src=", "url(", "http", "<img", "<link", "<script"] {
            assert!(!html.contains(loader), "{loader} in {}", mail.template());
        }
        assert!(html.contains("lang=\"en\""));
    }
}

#[test]
fn a_name_is_escaped_in_html_and_literal_in_text() {
    let name = "Zoë O'Neil & \"Co\" <b>{{7*7}}";
    for mail in every_mail() {
        let Message { text, html, .. } = rendered(&mail, name);
        assert!(text.starts_with(&format!("Hello {name},\n")), "{text}");
        let escaped = "Zoë O&#39;Neil &#38; &#34;Co&#34; &#60;b&#62;{{7*7}}";
        assert!(html.contains(&format!("Hello {escaped},")), "{html}");
        assert!(!html.contains("<b>") && !html.contains(name), "{html}");
    }
}

#[test]
fn a_name_that_would_become_a_link_is_left_out() {
    let message = rendered(&every_mail()[0], "https://evil.example");
    assert!(message.text.starts_with("Hello,\n"), "{}", message.text);
    assert!(!message.html.contains("evil"));
}

#[test]
fn a_forged_user_agent_or_address_is_left_out() {
    let mail = Mail::NewDevice {
        at: Timestamp::default(),
        device: "x\r\nBcc: https://evil.example".to_owned(),
        ip: "https://evil.example".to_owned(),
        reset_link: LINK.to_owned(),
    };
    let message = rendered(&mail, "Bob");
    assert!(!message.text.contains("evil") && !message.html.contains("evil"));
}
