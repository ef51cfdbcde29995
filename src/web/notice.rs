//! What the pages answer, by occasion. An answer says what happened and what to do next, and none tells a stranger whether
//! an account exists.

use axum::http::StatusCode;

/// How an answer is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Calm,
    Bad,
}

impl Tone {
    /// The class in the stylesheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Calm => "calm",
            Self::Bad => "bad",
        }
    }

    /// An SVG path on a field of 24 x 24: a tick, an envelope, an exclamation mark.
    pub fn drawing(self) -> &'static str {
        match self {
            Self::Good => "M5 12.5l4.5 4.5L19 7.5",
            Self::Calm => "M3.5 6h17v12h-17zM4 6.5l8 6.5 8-6.5",
            Self::Bad => "M12 5.5v8M12 18v.2",
        }
    }

    /// Whether it must interrupt a screen reader.
    pub fn is_bad(self) -> bool {
        self == Self::Bad
    }
}

/// Where to go from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    pub label: &'static str,
    pub path: &'static str,
}

/// What a mailed link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    VerifyEmail,
    /// The same link, by who did not open the account.
    Decline,
    ResetPassword,
    Invitation,
    ConfirmEmailChange,
    UndoEmailChange,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Done,
    /// It had been done before, and the link still holds.
    Already,
    /// Past its time, or made void by a newer one.
    Expired,
    Used,
    Invalid,
}

/// An answer in words; a [`NoticePage`](super::page::NoticePage) shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub status: StatusCode,
    pub tone: Tone,
    pub title: &'static str,
    pub lines: Vec<&'static str>,
    pub next: Option<Next>,
}

impl Notice {
    /// After a form for an address: the same for every address.
    pub fn check_your_mail() -> Self {
        Self {
            status: StatusCode::ACCEPTED,
            tone: Tone::Calm,
            title: "Check your mail",
            lines: vec![
                "If there is an account with this address, a mail with a link is on its way.",
                "Nothing there after a few minutes? Look in the spam folder, and check that the address was right.",
            ],
            next: None,
        }
    }

    /// What to say about a link that was followed.
    pub fn of_link(link: Link, fate: Fate) -> Self {
        match fate {
            Fate::Done => Self::done(link),
            Fate::Already => Self {
                title: "This was done before",
                lines: vec!["There is nothing left to do. You can close this page and sign in."],
                next: None,
                ..Self::done(link)
            },
            Fate::Expired => Self::dead(
                link,
                StatusCode::GONE,
                "This link has run out",
                "Links in mails work for a limited time, and a newer mail makes the earlier link void.",
            ),
            Fate::Used => Self::dead(
                link,
                StatusCode::GONE,
                "This link was used before",
                "It works only once. If it was you who used it, all is done.",
            ),
            Fate::Invalid => Self::dead(
                link,
                StatusCode::BAD_REQUEST,
                "This link does not work",
                "Perhaps a part of it was lost: copy the whole link from the mail, up to its very end.",
            ),
        }
    }

    fn done(link: Link) -> Self {
        let (title, said) = match link {
            Link::VerifyEmail => (
                "Your e-mail address is confirmed",
                "Your account is ready. You can close this page and sign in.",
            ),
            Link::Decline => (
                "The account is erased",
                "Nobody can use your e-mail address here. If you would like an account of your own, you can sign up.",
            ),
            Link::ResetPassword => (
                "Your password is changed",
                "You were signed out on all devices. You can close this page and sign in with the new password.",
            ),
            Link::Invitation => (
                "Your account is ready",
                "You can close this page and sign in with your password.",
            ),
            Link::ConfirmEmailChange => (
                "Your new e-mail address is in use",
                "Sign in with it from now on. We have told the old address, which can undo the change for some days.",
            ),
            Link::UndoEmailChange => (
                "Your old e-mail address is back",
                "Every device was signed out. Choose a new password now, so that whoever changed the address stays out.",
            ),
        };
        Self {
            status: StatusCode::OK,
            tone: Tone::Good,
            title,
            lines: vec![said],
            next: (link == Link::UndoEmailChange).then_some(Next {
                label: "Choose a new password",
                path: "/forgot-password",
            }),
        }
    }

    fn dead(link: Link, status: StatusCode, title: &'static str, why: &'static str) -> Self {
        let (advice, path) = match link {
            Link::VerifyEmail => (
                "Try to sign in; if that is refused, ask for a new link.",
                Some("/resend-verification"),
            ),
            Link::Decline => (
                "If the account is in use and not yours, choose a new password: then only you can get in.",
                Some("/forgot-password"),
            ),
            Link::ResetPassword => (
                "If you still need a new password, ask for a new link.",
                Some("/forgot-password"),
            ),
            Link::Invitation => ("Ask the people who invited you for a new invitation.", None),
            Link::ConfirmEmailChange => (
                "If the address is not changed yet, start again in the settings of your account.",
                None,
            ),
            Link::UndoEmailChange => (
                "If your account is in other hands, contact the people who run this service.",
                None,
            ),
        };
        Self {
            status,
            tone: Tone::Bad,
            title,
            lines: vec![why, advice],
            next: path.map(|path| Next {
                label: "Ask for a new link",
                path,
            }),
        }
    }
}
