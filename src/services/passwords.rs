//! The one place that knows how a password is checked against its rules and how a proof of it is taken.

use super::{Class, Services};
use crate::{
    domain::{
        Error, Result,
        actor::{Actor, SignedIn},
        audit::{AuditEntry, Outcome},
        client::Client,
        error::{Barrier, Refusal, Violation},
        password::{Context, Password, PasswordHash, PolicyRules},
        user::User,
    },
    infra::hasher::Verdict,
    storage::{Tx, credentials},
};

impl Services {
    /// The password rules in force, for forms.
    pub fn password_policy(&self) -> PolicyRules {
        self.policy.password.rules()
    }

    /// What a wished password breaks, as violations of `field`.
    pub fn password_violations(
        &self,
        field: &'static str,
        password: &Password,
        context: &Context<'_>,
    ) -> Vec<Violation> {
        let faults = self.policy.password.check(password, context);
        faults.into_iter().map(|fault| fault.of(field)).collect()
    }

    /// Refuses a wished password that breaks the rules.
    pub(super) fn must_be_strong(
        &self,
        field: &'static str,
        password: &Password,
        context: &Context<'_>,
    ) -> Result<()> {
        let violations = self.password_violations(field, password, context);
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(violations))
        }
    }

    /// Takes the current password as a proof and gives its stored hash; wrong ones are limited, audited, and counted together
    /// with those at sign-in.
    pub(super) async fn prove_password(
        &self,
        who: &SignedIn,
        password: Password,
        action: &'static str,
        client: &Client,
    ) -> Result<PasswordHash> {
        let id = who.user.id;
        self.must_be_within(Class::Account, &format!("proof {id}"), action, client)
            .await?;
        let guard = self.guard_of(self.store.reader(), id, client).await?;
        let verdict = self.judge(&guard, password).await?;
        if verdict != Verdict::Wrong
            && let Some(credential) = &guard.credential
        {
            self.forget_wrong(id, &guard).await?;
            return Ok(credential.hash.clone());
        }
        let tx = self.store.begin().await?;
        let user = self.lock_self(&tx, who).await?;
        let entry = AuditEntry::refusal(
            action,
            Outcome::Failed,
            Barrier::WrongPassword.code(),
            client,
        );
        self.audit(&tx, entry.by(Actor::User(id)).on(id)).await?;
        self.count_wrong(&tx, &user, guard.known_device(), client)
            .await?;
        self.commit(tx.aside()).await?;
        Err(Barrier::WrongPassword.into())
    }

    /// Refuses a proof of a password that was replaced, or from a session that was ended, while it was compared; the
    /// person's row is locked.
    pub(super) async fn proof_must_hold(
        &self,
        tx: &Tx,
        who: &SignedIn,
        user: &User,
        proven: &PasswordHash,
    ) -> Result<()> {
        self.session_must_hold(tx, who, user).await?;
        let credential = credentials::find_credential(tx, user.id).await?;
        if credential.is_none_or(|now| now.hash.as_str() != proven.as_str()) {
            return Err(Barrier::WrongPassword.into());
        }
        Ok(())
    }

    /// Refuses a session that was ended since it was checked; the person's row is locked.
    pub(super) async fn session_must_hold<E>(
        &self,
        tx: &Tx,
        who: &SignedIn,
        user: &User<E>,
    ) -> Result<()> {
        let session = self.find_session_of(tx, who.session_id, user).await?;
        if !self.may_act(user) || session.is_none_or(|session| !session.is_live(self.now())) {
            return Err(Refusal::SessionEnded.into());
        }
        Ok(())
    }
}
