//! How mails read: fills `templates/email/<template>/` for each kind of mail. Text parts are not escaped, HTML parts
//! are; nothing that a stranger can choose goes in before it is known to look like what it is.

use crate::domain::{
    Error, Result, Timestamp,
    mail::{Mail, Message},
    text::fits_in_mail,
};
use askama::Template;
use std::net::IpAddr;

/// What all mails of a deployment or to a person share.
#[derive(Debug, Clone, Copy)]
pub struct MailContext<'a> {
    /// Host (and port) of the public URL: the name by which people know the deployment.
    pub public_host: &'a str,
    /// The person's own name, as they typed it.
    pub name: Option<&'a str>,
}

/// What the templates can say; a part that a mail lacks is empty, and its templates do not mention it.
struct Letter<'a> {
    host: &'a str,
    to: &'a str,
    name: Option<&'a str>,
    link: &'a str,
    at: String,
    device: &'a str,
    ip: String,
}

/// The three parts of each mail, as types that askama fills at compile time.
macro_rules! letters {
    ($($template:ident: $subject:tt, $text:tt, $html:tt;)+) => {
        $(mod $template {
            use super::Letter;

            #[derive(askama::Template)]
            #[template(path = $subject)]
            pub(super) struct Subject<'a> { pub letter: &'a Letter<'a> }

            #[derive(askama::Template)]
            #[template(path = $text)]
            pub(super) struct Text<'a> { pub letter: &'a Letter<'a> }

            #[derive(askama::Template)]
            #[template(path = $html)]
            pub(super) struct Html<'a> { pub letter: &'a Letter<'a> }
        })+

        /// Subject, text and HTML.
        fn parts(template: &str, letter: &Letter<'_>) -> askama::Result<[String; 3]> {
            match template {
                $(stringify!($template) => Ok([
                    $template::Subject { letter }.render()?,
                    $template::Text { letter }.render()?,
                    $template::Html { letter }.render()?,
                ]),)+
                _ => Err(askama::Error::Fmt),
            }
        }
    };
}

letters! {
    verify_email: "email/verify_email/subject.txt", "email/verify_email/body.txt", "email/verify_email/body.html";
    password_reset: "email/password_reset/subject.txt", "email/password_reset/body.txt", "email/password_reset/body.html";
    invitation: "email/invitation/subject.txt", "email/invitation/body.txt", "email/invitation/body.html";
    account_exists: "email/account_exists/subject.txt", "email/account_exists/body.txt", "email/account_exists/body.html";
    password_changed: "email/password_changed/subject.txt", "email/password_changed/body.txt", "email/password_changed/body.html";
    confirm_email_change: "email/confirm_email_change/subject.txt", "email/confirm_email_change/body.txt", "email/confirm_email_change/body.html";
    email_changed: "email/email_changed/subject.txt", "email/email_changed/body.txt", "email/email_changed/body.html";
    new_device: "email/new_device/subject.txt", "email/new_device/body.txt", "email/new_device/body.html";
    session_ended: "email/session_ended/subject.txt", "email/session_ended/body.txt", "email/session_ended/body.html";
    account_locked: "email/account_locked/subject.txt", "email/account_locked/body.txt", "email/account_locked/body.html";
    account_terminated: "email/account_terminated/subject.txt", "email/account_terminated/body.txt", "email/account_terminated/body.html";
}

/// The mail as its reader will see it.
pub fn render(mail: &Mail, context: &MailContext<'_>, to: &str) -> Result<Message> {
    let mut letter = Letter {
        host: context.public_host,
        to,
        name: context.name.filter(|name| fits_in_mail(name)),
        link: "",
        at: String::new(),
        device: "",
        ip: String::new(),
    };
    match mail {
        Mail::VerifyEmail { link }
        | Mail::PasswordReset { link }
        | Mail::Invitation { link }
        | Mail::ConfirmEmailChange { link } => letter.link = link,
        Mail::AccountExists { reset_link } => letter.link = reset_link,
        Mail::EmailChanged { at, link } => (letter.at, letter.link) = (date_time(*at), link),
        Mail::PasswordChanged { at, reset_link } | Mail::AccountLocked { at, reset_link } => {
            (letter.at, letter.link) = (date_time(*at), reset_link);
        }
        Mail::NewDevice {
            at,
            device,
            ip,
            reset_link,
        } => {
            (letter.at, letter.link) = (date_time(*at), reset_link);
            (letter.device, letter.ip) = (device_name(device), address(ip));
        }
        Mail::SessionEnded {
            at,
            device,
            reset_link,
        } => {
            (letter.at, letter.link) = (date_time(*at), reset_link);
            letter.device = device_name(device);
        }
        Mail::AccountTerminated { at } => letter.at = date_time(*at),
    }
    let [subject, text, html] = parts(mail.template(), &letter).map_err(Error::internal)?;
    Ok(Message {
        to: to.to_owned(),
        subject,
        text,
        html,
    })
}

/// `21 November 2026, 14:05 UTC`.
fn date_time(at: Timestamp) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// The user agent is a stranger's text.
fn device_name(device: &str) -> &str {
    if fits_in_mail(device) {
        device
    } else {
        "unknown"
    }
}

fn address(ip: &str) -> String {
    ip.parse::<IpAddr>()
        .map_or_else(|_| "unknown".to_owned(), |ip| ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://id.example.com/reset-password#token=AbC-_9&x=1";

    fn every_mail() -> Vec<Mail> {
        let at = "2026-11-21T14:05:09Z".parse().unwrap();
        let link = || LINK.to_owned();
        let device = || "Firefox on Linux".to_owned();
        vec![
            Mail::VerifyEmail { link: link() },
            Mail::PasswordReset { link: link() },
            Mail::AccountExists { reset_link: link() },
            Mail::PasswordChanged {
                at,
                reset_link: link(),
            },
            Mail::ConfirmEmailChange { link: link() },
            Mail::EmailChanged { at, link: link() },
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
            let expected = usize::from(!matches!(mail, Mail::AccountTerminated { .. }));
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
        let name = "Zoë O'Neil & <b>{{7*7}}</b>";
        let message = rendered(&every_mail()[0], name);
        let said = fits_in_mail(name);
        assert_eq!(message.text.contains(&format!("Hello {name},")), said);
        assert!(!message.html.contains("<b>"));
        assert_eq!(message.html.contains("{{7*7}}"), said);
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
}
