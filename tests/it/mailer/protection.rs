//! TLS and credentials of the mailer: no mail and no password goes where it should not.

use super::{ID, count, mailer, message, settings, start};
use crate::support::smtp::{Behaviour, Protection, SmtpServer};
use secrecy::SecretString;
use usher::{MailFault, SmtpSettings, Tls};

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = start(Protection::StartTls).await;
    let mailer = mailer(&settings(&server, Tls::Required));
    for _ in 0..3 {
        mailer.send(&message(), ID).await.unwrap();
    }
    assert_eq!(server.messages().len(), 3);
    assert_eq!(count(&server, "C: STARTTLS"), 1);
}

#[tokio::test]
async fn a_stripped_offer_of_tls_keeps_the_mail_here_if_tls_is_required() {
    let server = start(Protection::None).await;
    let fault = mailer(&settings(&server, Tls::Required))
        .send(&message(), ID)
        .await;
    assert_eq!(
        fault,
        Err(MailFault::Transient("STARTTLS not offered".to_owned()))
    );
    assert_eq!(count(&server, "C: MAIL"), 0);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_keeps_the_mail_here() {
    for (protection, tls) in [
        (Protection::StartTls, Tls::Required),
        (Protection::StartTls, Tls::Opportunistic),
        (Protection::Implicit, Tls::Implicit),
    ] {
        let server = start(protection).await;
        let strangers = SmtpSettings {
            ca_pem: None,
            ..settings(&server, tls)
        };
        let fault = mailer(&strangers).send(&message(), ID).await;
        assert!(matches!(fault, Err(MailFault::Transient(_))), "{fault:?}");
        assert_eq!(count(&server, "C: MAIL"), 0);
    }
}

#[tokio::test]
async fn tls_is_used_as_far_as_it_is_offered_and_wanted() {
    for (protection, tls, expected) in [
        (Protection::StartTls, Tls::Required, true),
        (Protection::StartTls, Tls::Opportunistic, true),
        (Protection::StartTls, Tls::None, false),
        (Protection::None, Tls::Opportunistic, false),
        (Protection::Implicit, Tls::Implicit, true),
    ] {
        let server = start(protection).await;
        mailer(&settings(&server, tls))
            .send(&message(), ID)
            .await
            .unwrap();
        assert_eq!(
            server.messages()[0].over_tls,
            expected,
            "{protection:?} {tls:?}"
        );
    }
}

#[tokio::test]
async fn the_server_learns_who_we_are_by_either_mechanism() {
    for mechanisms in ["PLAIN", "LOGIN"] {
        let login = Some(("usher".to_owned(), "s3cret".to_owned()));
        let server = SmtpServer::start(Behaviour {
            protection: Protection::StartTls,
            login,
            mechanisms,
            ..Behaviour::default()
        })
        .await;
        let with = |password: &str| SmtpSettings {
            credentials: Some(("usher".to_owned(), SecretString::from(password))),
            ..settings(&server, Tls::Required)
        };
        mailer(&with("s3cret")).send(&message(), ID).await.unwrap();
        assert_eq!(server.messages()[0].user.as_deref(), Some("usher"));

        // The mail must outlive our own wrong setting.
        let fault = mailer(&with("wrong")).send(&message(), ID).await;
        assert_eq!(
            fault,
            Err(MailFault::Transient("authentication: reply 535".to_owned()))
        );
        let fault = mailer(&settings(&server, Tls::Required))
            .send(&message(), ID)
            .await;
        assert_eq!(fault, Err(MailFault::Transient("reply 530".to_owned())));
    }
}

#[tokio::test]
async fn a_password_is_not_sent_in_clear_to_a_server_elsewhere() {
    let server = start(Protection::None).await;
    let elsewhere = SmtpSettings {
        // The same machine, but not by an address that says so.
        host: "0.0.0.0".to_owned(),
        credentials: Some(("usher".to_owned(), SecretString::from("s3cret"))),
        ..settings(&server, Tls::Opportunistic)
    };
    let fault = mailer(&elsewhere).send(&message(), ID).await;
    assert_eq!(
        fault,
        Err(MailFault::Transient("STARTTLS not offered".to_owned()))
    );
    assert_eq!(count(&server, "C: AUTH"), 0);
}
