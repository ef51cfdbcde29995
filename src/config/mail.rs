//! How mails leave, whom they are from, where their links lead, and how long these live.

use super::{
    reader::{Reader, parse_web_url},
    secrets,
    setting::{Fallback, Setting},
    smtp::{SmtpConfig, SmtpUrl},
};
use lettre::message::Mailbox;
use std::{path::PathBuf, time::Duration};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Where a link template takes its token.
const TOKEN: &str = "{token}";

/// `.test` never resolves (RFC 6761).
const DEVELOPMENT_FROM: &str = "Usher <no-reply@usher.localhost>";

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "MAIL_TRANSPORT",
        Fallback::Derived("`smtp` if `SMTP_URL` is set, else `mailbox`"),
        "`smtp`; `mailbox`, which keeps mails for `/dev/mailbox` and is refused in production; or `events`, which puts recipient and link into the events, for a mail service of your own.",
    ),
    Setting::url(
        "SMTP_URL",
        Fallback::Unset,
        "`smtp://user:password@host:587?tls=required` (or `opportunistic`, `none`) or `smtps://host:465`; production needs it.",
    ),
    Setting::new(
        "SMTP_CA_FILE",
        Fallback::Unset,
        "PEM file with a further authority that the mail server's certificate may come from.",
    ),
    Setting::new(
        "MAIL_FROM",
        Fallback::Derived("`Usher <no-reply@usher.localhost>` in development"),
        "Sender of all mails: `Name <address>`; production needs it.",
    ),
    Setting::new(
        "VERIFY_URL",
        Fallback::Derived("`{PUBLIC_URL}/verify-email?token={token}`"),
        "Your own page for confirming an address; must hold `{token}`.",
    ),
    Setting::new(
        "RESET_URL",
        Fallback::Derived("`{PUBLIC_URL}/reset-password#token={token}`"),
        "Your own page for choosing a new password; must hold `{token}`.",
    ),
    Setting::new(
        "INVITE_URL",
        Fallback::Derived("`{PUBLIC_URL}/accept-invitation#token={token}`"),
        "Where the link in an invitation leads, with `{token}`; your own front end, perhaps.",
    ),
    Setting::new(
        "VERIFICATION_TTL_HOURS",
        Fallback::Fixed("24"),
        "Lifetime of a link that confirms an address.",
    ),
    Setting::new(
        "RESET_TTL_MINUTES",
        Fallback::Fixed("60"),
        "Lifetime of a link for a new password.",
    ),
    Setting::new(
        "INVITATION_TTL_HOURS",
        Fallback::Fixed("24"),
        "Lifetime of an invitation.",
    ),
    Setting::new(
        "EMAIL_CHANGE_TTL_HOURS",
        Fallback::Fixed("24"),
        "Lifetime of a link that confirms a change of address.",
    ),
    Setting::new(
        "EMAIL_CHANGE_UNDO_DAYS",
        Fallback::Fixed("7"),
        "For so long the old address can undo a change.",
    ),
];

/// How mails leave.
#[derive(Debug, Clone)]
pub enum MailTransport {
    /// Kept for the page `/dev/mailbox`.
    Mailbox,
    Smtp(SmtpConfig),
    /// Told in the events, for another service to send.
    Events,
}

/// Where a mailed link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTemplate(String);

impl LinkTemplate {
    /// The link that carries this token, which must need no encoding (base64url).
    pub fn with_token(&self, token: &str) -> String {
        self.0.replace(TOKEN, token)
    }

    /// An http or https URL that holds `{token}` once, behind the host.
    fn parse(text: &str) -> Option<Self> {
        if text.matches(TOKEN).count() != 1 {
            return None;
        }
        // A fragment is fine here, unlike in other URLs: it is the safest place for a token.
        let (before, _) = text.split_once('#').unwrap_or((text, ""));
        let url = parse_web_url(&before.replace(TOKEN, "0token0"))?;
        (!url.host_str()?.contains("0token0")).then(|| Self(text.to_owned()))
    }
}

/// Mails and the links in them.
#[derive(Debug, Clone)]
pub struct MailConfig {
    pub transport: MailTransport,
    /// A further certificate authority (PEM) for the mail server.
    pub smtp_ca_file: Option<PathBuf>,
    /// `Name <address>` or the address alone.
    pub from: String,
    pub verify_url: LinkTemplate,
    pub reset_url: LinkTemplate,
    pub invite_url: LinkTemplate,
    pub verification_ttl: Duration,
    pub reset_ttl: Duration,
    pub invitation_ttl: Duration,
    pub email_change_ttl: Duration,
    pub email_change_undo_ttl: Duration,
}

impl MailConfig {
    pub(super) fn read(reader: &mut Reader, public_origin: &str) -> Self {
        let verify = format!("{public_origin}/verify-email?token={TOKEN}");
        let reset = format!("{public_origin}/reset-password#token={TOKEN}");
        let invite = format!("{public_origin}/accept-invitation#token={TOKEN}");
        Self {
            transport: read_transport(reader),
            smtp_ca_file: reader.text("SMTP_CA_FILE").map(PathBuf::from),
            from: read_from(reader),
            verify_url: read_link(reader, "VERIFY_URL", verify),
            reset_url: read_link(reader, "RESET_URL", reset),
            invite_url: read_link(reader, "INVITE_URL", invite),
            verification_ttl: reader.span("VERIFICATION_TTL_HOURS", HOUR, 1..=720),
            invitation_ttl: reader.span("INVITATION_TTL_HOURS", HOUR, 1..=168),
            reset_ttl: reader.span("RESET_TTL_MINUTES", MINUTE, 5..=1440),
            email_change_ttl: reader.span("EMAIL_CHANGE_TTL_HOURS", HOUR, 1..=720),
            email_change_undo_ttl: reader.span("EMAIL_CHANGE_UNDO_DAYS", DAY, 1..=90),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Mailbox,
    Smtp,
    Events,
}

fn read_transport(reader: &mut Reader) -> MailTransport {
    let production = reader.is_production();
    let smtp = reader
        .parsed(
            "SMTP_URL",
            "of the form smtp://user:password@host:port?tls=required, opportunistic or none, or smtps://user:password@host:465",
            SmtpUrl::parse,
        )
        .map(|url| url.settle(production));
    if let Some(text) = reader.raw("SMTP_URL") {
        secrets::judge_url(reader, "SMTP_URL", text.trim());
    }
    let is_set = reader.raw("SMTP_URL").is_some();
    let usual = if is_set || production {
        ("smtp", Way::Smtp)
    } else {
        ("mailbox", Way::Mailbox)
    };
    reader.derive("MAIL_TRANSPORT", usual.0);
    let way = reader
        .one_of(
            "MAIL_TRANSPORT",
            &[
                ("smtp", Way::Smtp),
                ("mailbox", Way::Mailbox),
                ("events", Way::Events),
            ],
        )
        .unwrap_or(usual.1);
    if way == Way::Mailbox && production {
        reader.refuse(
            "MAIL_TRANSPORT",
            "must be smtp or events in production, not mailbox",
        );
    }
    if !is_set && (way == Way::Smtp || (production && way == Way::Mailbox)) {
        reader.refuse("SMTP_URL", "must be set for mails to leave");
    }
    match smtp {
        Some(Err(rule)) => {
            reader.refuse("SMTP_URL", rule);
            MailTransport::Mailbox
        }
        Some(Ok(smtp)) if way == Way::Smtp => MailTransport::Smtp(smtp),
        _ if way == Way::Events => MailTransport::Events,
        _ => MailTransport::Mailbox,
    }
}

fn read_from(reader: &mut Reader) -> String {
    if reader.raw("MAIL_FROM").is_none() {
        if reader.is_production() {
            reader.refuse("MAIL_FROM", "must be set in production");
        }
        reader.derive("MAIL_FROM", DEVELOPMENT_FROM);
    }
    reader
        .parsed("MAIL_FROM", "of the form Name <address>", |text| {
            let clean = !text.chars().any(char::is_control);
            (clean && text.parse::<Mailbox>().is_ok()).then(|| text.to_owned())
        })
        .unwrap_or_default()
}

fn read_link(reader: &mut Reader, name: &'static str, usual: String) -> LinkTemplate {
    if reader.raw(name).is_none() {
        reader.derive(name, &usual);
        return LinkTemplate(usual);
    }
    let link = reader.parsed(
        name,
        "a URL such as https://app.example.com/page#token={token}",
        LinkTemplate::parse,
    );
    let Some(link) = link else {
        return LinkTemplate(usual);
    };
    if reader.is_production() && !link.0.to_ascii_lowercase().starts_with("https://") {
        reader.refuse(name, "must begin with https:// in production");
    }
    link
}
