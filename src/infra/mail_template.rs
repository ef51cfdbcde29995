//! How mails read: fills `templates/email/<template>/` for each kind of mail. Text parts are not escaped, HTML parts
//! are; nothing that a stranger can choose goes in before it is known to look like what it is.

use crate::domain::{
    Error, Result, Timestamp,
    mail::{Mail, Message},
    text::fits_in_mail,
};
use askama::Template;
use std::{net::IpAddr, time::Duration};

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
    /// How long the link works.
    lasts: String,
    /// Id and host of a webhook.
    webhook: (String, &'a str),
    why: &'a str,
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
    password_reset_required: "email/password_reset_required/subject.txt", "email/password_reset_required/body.txt", "email/password_reset_required/body.html";
    invitation: "email/invitation/subject.txt", "email/invitation/body.txt", "email/invitation/body.html";
    account_exists: "email/account_exists/subject.txt", "email/account_exists/body.txt", "email/account_exists/body.html";
    password_changed: "email/password_changed/subject.txt", "email/password_changed/body.txt", "email/password_changed/body.html";
    username_changed: "email/username_changed/subject.txt", "email/username_changed/body.txt", "email/username_changed/body.html";
    confirm_email_change: "email/confirm_email_change/subject.txt", "email/confirm_email_change/body.txt", "email/confirm_email_change/body.html";
    email_changed: "email/email_changed/subject.txt", "email/email_changed/body.txt", "email/email_changed/body.html";
    email_replaced: "email/email_replaced/subject.txt", "email/email_replaced/body.txt", "email/email_replaced/body.html";
    new_device: "email/new_device/subject.txt", "email/new_device/body.txt", "email/new_device/body.html";
    session_ended: "email/session_ended/subject.txt", "email/session_ended/body.txt", "email/session_ended/body.html";
    account_locked: "email/account_locked/subject.txt", "email/account_locked/body.txt", "email/account_locked/body.html";
    account_terminated: "email/account_terminated/subject.txt", "email/account_terminated/body.txt", "email/account_terminated/body.html";
    webhook_disabled: "email/webhook_disabled/subject.txt", "email/webhook_disabled/body.txt", "email/webhook_disabled/body.html";
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
        lasts: String::new(),
        webhook: (String::new(), ""),
        why: "",
    };
    match mail {
        Mail::VerifyEmail { link }
        | Mail::PasswordReset { link }
        | Mail::PasswordResetRequired { link }
        | Mail::Invitation { link }
        | Mail::ConfirmEmailChange { link } => letter.link = link,
        Mail::AccountExists { reset_link } => letter.link = reset_link,
        Mail::EmailChanged { at, link, undo_ttl } => {
            (letter.at, letter.link) = (date_time(*at), link);
            letter.lasts = days(*undo_ttl);
        }
        Mail::PasswordChanged { at, reset_link }
        | Mail::UsernameChanged { at, reset_link }
        | Mail::AccountLocked { at, reset_link } => {
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
        Mail::WebhookDisabled { at, id, host, why } => {
            (letter.at, letter.webhook) = (date_time(*at), (id.to_string(), host.as_str()));
            letter.why = why.as_str();
        }
        Mail::AccountTerminated { at } | Mail::EmailReplaced { at } => letter.at = date_time(*at),
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

/// `1 day`, `7 days`; a part of a day counts for nothing.
fn days(time: Duration) -> String {
    match time.as_secs() / 86_400 {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
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
mod tests;
