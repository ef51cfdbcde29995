//! The development mailbox: what the outbox holds, as people would read it. Mails are framed in a sandbox, since their HTML
//! is a document of its own.

use super::{
    WebState, error,
    page::{self, Frame, Nonce},
};
use crate::domain::Timestamp;
use askama::Template;
use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

/// Whose mails.
#[derive(Deserialize)]
pub struct MailboxQuery {
    /// One address; all without it.
    to: Option<String>,
}

/// `GET /dev/mailbox?to=`
pub async fn show(State(state): State<WebState>, Query(query): Query<MailboxQuery>) -> Response {
    let mails = match state.services.list_mailbox(query.to.as_deref()).await {
        Ok(mails) => mails,
        Err(trouble) => return error::general(&state, &trouble),
    };
    let items: Vec<MailboxItem<'_>> = mails
        .iter()
        .map(|mail| MailboxItem {
            to: &mail.message.to,
            subject: &mail.message.subject,
            at: mail.created_at,
            text: &mail.message.text,
            html: &mail.message.html,
        })
        .collect();
    let nonce = Nonce::from_random(state.entropy.bytes());
    let frame = Frame {
        nonce: &nonce,
        host: &state.host,
    };
    page::respond_mailbox(&MailboxPage {
        frame,
        mails: &items,
    })
}

/// `GET /dev/mailbox.json?to=`: `{"items": [{id, to, subject, text, html, links, created_at}]}`, newest first.
pub async fn list(State(state): State<WebState>, Query(query): Query<MailboxQuery>) -> Response {
    let mails = match state.services.list_mailbox(query.to.as_deref()).await {
        Ok(mails) => mails,
        Err(trouble) => return error::general(&state, &trouble),
    };
    let items: Vec<_> = mails
        .into_iter()
        .map(|mail| {
            let pieces = pieces(&mail.message.text);
            let links: Vec<&str> = pieces.iter().filter(|piece| piece.is_link).map(|piece| piece.text).collect();
            json!({
                "id": mail.id, "to": mail.message.to, "subject": mail.message.subject, "text": mail.message.text,
                "html": mail.message.html, "links": links, "created_at": mail.created_at,
            })
        })
        .collect();
    Json(json!({ "items": items })).into_response()
}

/// One mail of the outbox.
pub struct MailboxItem<'a> {
    pub to: &'a str,
    pub subject: &'a str,
    pub at: Timestamp,
    pub text: &'a str,
    pub html: &'a str,
}

/// The mails, newest first. Its answer is made by [`respond_mailbox`](super::page::respond_mailbox).
#[derive(Template)]
#[template(path = "web/mailbox.html")]
pub struct MailboxPage<'a> {
    pub frame: Frame<'a>,
    pub mails: &'a [MailboxItem<'a>],
}

/// A stretch of text that is a link or is none.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    is_link: bool,
    text: &'a str,
}

/// The text cut at its links; put together again it is the same.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let words = text.split_inclusive(char::is_whitespace);
    let mut pieces = Vec::new();
    for word in words {
        let link = word.trim_end();
        if link.starts_with("https://") || link.starts_with("http://") {
            pieces.push(Piece {
                is_link: true,
                text: link,
            });
            pieces.push(Piece {
                is_link: false,
                text: word.strip_prefix(link).unwrap_or(""),
            });
        } else {
            pieces.push(Piece {
                is_link: false,
                text: word,
            });
        }
    }
    pieces
}

/// Our pages refuse to be framed, so the links of a framed mail open beside it.
fn in_new_tabs(html: &str) -> String {
    html.replace("<a ", "<a target=\"_blank\" rel=\"noopener noreferrer\" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::Nonce;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cutting_at_links_loses_nothing(text in "(https?://|[a-z<\"]|\\s){0,40}") {
            let again: String = pieces(&text).iter().map(|piece| piece.text).collect();
            prop_assert_eq!(again, text);
        }
    }

    #[test]
    fn only_web_addresses_become_links() {
        let links: Vec<_> = pieces("Open\nhttps://x.example/a#t=1\nor javascript:alert(1)")
            .into_iter()
            .filter(|piece| piece.is_link)
            .map(|piece| piece.text)
            .collect();
        assert_eq!(links, ["https://x.example/a#t=1"]);
    }

    #[test]
    fn a_mail_cannot_break_out_of_its_frame() {
        let nonce = Nonce::from_random([1; 16]);
        let mail = MailboxItem {
            to: "bob@example.com",
            subject: "</h2><script>1</script>",
            at: Timestamp::default(),
            text: "<script>2</script> https://x/\"><script>3</script>",
            html: "<p>\"></iframe><script>4</script>",
        };
        let page = MailboxPage {
            frame: Frame {
                nonce: &nonce,
                host: "localhost",
            },
            mails: &[mail],
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("</iframe>").count(), 1);
    }
}
