//! The mailer against a real server on a socket: what arrives, what is tried again, and what must never be sent.

mod protection;

use crate::support::smtp::{Behaviour, Fault, Protection, SmtpServer, Stage};
use std::time::Duration;
use usher::{Clock, MailFault, Mailer, Message, SmtpSettings, Tls};

const ID: &str = "0198f0a1-7d3c-7e6f-8a9b-0c1d2e3f4a5b";

fn settings(server: &SmtpServer, tls: Tls) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        tls,
        credentials: None,
        from: "Usher <no-reply@id.example.com>".to_owned(),
        hello_name: Some("id.example.com".to_owned()),
        timeout: Duration::from_secs(20),
        ca_pem: Some(server.ca_pem()),
    }
}

fn mailer(settings: &SmtpSettings) -> Mailer {
    let clock = Clock::hand_wound("2026-11-21T14:05:09Z".parse().unwrap());
    Mailer::smtp(settings, clock).unwrap()
}

fn message() -> Message {
    Message {
        to: "bob@example.com".to_owned(),
        subject: "Grüße from id.example.com".to_owned(),
        text: "Hello Zoë,\n\n.\n\nhttps://id.example.com/x#token=abc\n".to_owned(),
        html: "<!DOCTYPE html>\n<p>Hello Zoë</p>\n".to_owned(),
    }
}

async fn start(protection: Protection) -> SmtpServer {
    let behaviour = Behaviour {
        protection,
        ..Behaviour::default()
    };
    SmtpServer::start(behaviour).await
}

fn count(server: &SmtpServer, start: &str) -> usize {
    let transcript = server.transcript();
    transcript
        .iter()
        .filter(|line| line.starts_with(start))
        .count()
}

#[tokio::test]
async fn a_mail_arrives_whole_with_both_parts_and_its_headers() {
    let server = start(Protection::None).await;
    mailer(&settings(&server, Tls::None))
        .send(&message(), ID)
        .await
        .unwrap();
    let received = &server.messages()[0];
    assert_eq!(received.from, "no-reply@id.example.com");
    assert_eq!(received.to, ["bob@example.com"]);
    let data = &received.data;
    for line in [
        "From: Usher <no-reply@id.example.com>",
        "To: bob@example.com",
        "Date: Sat, 21 Nov 2026 14:05:09 +0000",
        "Message-ID: <0198f0a1-7d3c-7e6f-8a9b-0c1d2e3f4a5b@id.example.com>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Hello Zo=C3=AB,",
        ".",
        "https://id.example.com/x#token=3Dabc",
        "<p>Hello Zo=C3=AB</p>",
    ] {
        assert!(data.lines().any(|other| other == line), "{line}\n{data}");
    }
    assert!(data.contains("Content-Type: multipart/alternative;"));
    assert!(data.find("text/plain").unwrap() < data.find("text/html").unwrap());
    assert!(data.is_ascii());
}

#[tokio::test]
async fn a_4xx_is_worth_another_try_and_a_5xx_is_not_and_neither_tells_the_address() {
    let server = start(Protection::None).await;
    let mailer = mailer(&settings(&server, Tls::None));
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body] {
        for (reply, expected) in [
            (
                "450 <bob@example.com> later",
                MailFault::Transient("reply 450".to_owned()),
            ),
            (
                "421 bob@example.com closing",
                MailFault::Transient("reply 421".to_owned()),
            ),
            (
                "550 <bob@example.com> unknown",
                MailFault::Permanent("reply 550".to_owned()),
            ),
        ] {
            let fault = Some((Fault::Refuse(stage, reply), 1));
            server
                .set(Behaviour {
                    fault,
                    ..Behaviour::default()
                })
                .await;
            let before = server.messages().len();
            assert_eq!(
                mailer.send(&message(), ID).await,
                Err(expected),
                "{stage:?}"
            );
            assert_eq!(server.messages().len(), before);
            mailer.send(&message(), ID).await.unwrap();
            assert_eq!(server.messages().len(), before + 1);
        }
    }
}

#[tokio::test]
async fn a_server_that_turns_us_away_at_the_door_does_not_cost_the_mail() {
    let server = start(Protection::None).await;
    let fault = Some((Fault::Refuse(Stage::Greeting, "554 no service for you"), 1));
    server
        .set(Behaviour {
            fault,
            ..Behaviour::default()
        })
        .await;
    let fault = mailer(&settings(&server, Tls::None))
        .send(&message(), ID)
        .await;
    assert_eq!(
        fault,
        Err(MailFault::Transient("connection: reply 554".to_owned()))
    );
}

#[tokio::test]
async fn mails_go_again_when_the_server_is_back() {
    let server = start(Protection::None).await;
    let mailer = mailer(&settings(&server, Tls::None));
    mailer.send(&message(), ID).await.unwrap();
    server
        .set(Behaviour {
            down: true,
            ..Behaviour::default()
        })
        .await;
    let fault = mailer.send(&message(), ID).await;
    assert_eq!(fault, Err(MailFault::Transient("connection".to_owned())));
    server.set(Behaviour::default()).await;
    mailer.send(&message(), ID).await.unwrap();
    assert_eq!(server.messages().len(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_mail_leaves_it_to_be_sent_again() {
    for (fault, arrived) in [(Fault::BreakInBody, 0), (Fault::BreakAfterBody, 1)] {
        let server = start(Protection::None).await;
        let mailer = mailer(&settings(&server, Tls::None));
        server
            .set(Behaviour {
                fault: Some((fault, 1)),
                ..Behaviour::default()
            })
            .await;
        let fault = mailer.send(&message(), ID).await;
        assert_eq!(
            fault,
            Err(MailFault::Transient("connection lost".to_owned()))
        );
        assert_eq!(server.messages().len(), arrived);
        mailer.send(&message(), ID).await.unwrap();
        assert_eq!(server.messages().len(), arrived + 1);
    }
}

#[tokio::test]
async fn a_late_reply_is_never_taken_for_the_next_mails() {
    let server = start(Protection::None).await;
    let impatient = SmtpSettings {
        timeout: Duration::from_millis(150),
        ..settings(&server, Tls::None)
    };
    let mailer = mailer(&impatient);
    mailer.send(&message(), ID).await.unwrap();
    server
        .set(Behaviour {
            silent: true,
            ..Behaviour::default()
        })
        .await;
    let fault = mailer.send(&message(), ID).await;
    assert_eq!(fault, Err(MailFault::Transient("timeout".to_owned())));
    let fault = Some((Fault::Refuse(Stage::Body, "550 no"), 1));
    server
        .set(Behaviour {
            fault,
            ..Behaviour::default()
        })
        .await;
    let fault = mailer.send(&message(), ID).await;
    assert_eq!(fault, Err(MailFault::Permanent("reply 550".to_owned())));
    assert_eq!(count(&server, "C: EHLO"), 2);
}

#[tokio::test]
async fn line_breaks_in_a_subject_or_an_address_inject_nothing() {
    let server = start(Protection::None).await;
    let mailer = mailer(&settings(&server, Tls::None));
    let subject = "Hi\r\nBcc: eve@evil.example\r\n\r\n.\r\nMAIL FROM:<eve@evil.example>".to_owned();
    mailer
        .send(
            &Message {
                subject,
                ..message()
            },
            ID,
        )
        .await
        .unwrap();
    assert_eq!(server.messages()[0].to, ["bob@example.com"]);
    let data = &server.messages()[0].data;
    assert!(
        !data
            .lines()
            .any(|line| line.starts_with("Bcc:") || line.starts_with("MAIL")),
        "{data}"
    );

    for to in [
        "bob@example.com\r\nRCPT TO:<eve@evil.example>",
        "bob@example.com>\r\nDATA",
        "\"b\r\nob\"@example.com",
    ] {
        let fault = mailer
            .send(
                &Message {
                    to: to.to_owned(),
                    ..message()
                },
                ID,
            )
            .await;
        assert_eq!(fault, Err(MailFault::Permanent("recipient".to_owned())));
    }
    let fault = mailer.send(&message(), "1\r\nBcc: eve@evil.example").await;
    assert_eq!(fault, Err(MailFault::Permanent("message id".to_owned())));
    for command in ["C: MAIL", "C: RCPT", "C: DATA"] {
        assert_eq!(count(&server, command), 1, "{command}");
    }
}

#[tokio::test]
async fn without_a_mail_server_mails_are_kept_or_collected() {
    Mailer::Mailbox.send(&message(), ID).await.unwrap();
    let memory = Mailer::memory();
    memory.send(&message(), ID).await.unwrap();
    let Mailer::Memory(list) = memory else {
        panic!("not a list")
    };
    assert!(list.lock().unwrap().values().eq([&message()]));
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let good = SmtpSettings {
        host: "mail.example.com".to_owned(),
        port: 25,
        tls: Tls::Required,
        credentials: None,
        from: "no-reply@example.com".to_owned(),
        hello_name: None,
        timeout: Duration::from_secs(1),
        ca_pem: None,
    };
    let refused = |settings: SmtpSettings| Mailer::smtp(&settings, Clock::System).is_err();
    assert!(!refused(good.clone()));
    assert!(refused(SmtpSettings {
        from: "Usher".to_owned(),
        ..good.clone()
    }));
    assert!(refused(SmtpSettings {
        hello_name: Some("a\r\nb".to_owned()),
        ..good.clone()
    }));
    assert!(refused(SmtpSettings {
        ca_pem: Some(b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n".to_vec()),
        ..good
    }));
}
