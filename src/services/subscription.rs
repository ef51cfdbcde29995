//! Which tier a person is in: changed by the person while that is allowed, and by admins. The tier is read with the
//! person on every request, so access changes at once.

use super::{Services, events::person};
use crate::{
    domain::{
        Result, Timestamp,
        actor::SignedIn,
        audit::AuditEntry,
        change::Expected,
        client::Client,
        error::Barrier,
        event::EventType,
        id::UserId,
        permission::Permission,
        user::{Tier, User},
    },
    storage::{Tx, users},
};
use chrono::Months;
use serde_json::{Value, json};

const SET: &str = "set_subscription";

/// What an admin puts a person into, if the account is still as expected.
pub struct Subscription {
    pub tier: Tier,
    /// When premium ends; `None` for never.
    pub until: Option<Timestamp>,
    pub expected: Expected,
}

/// What a person does with their own tier.
#[derive(Clone, Copy)]
enum Step {
    Upgrade(Option<Months>),
    Downgrade,
}

impl Step {
    fn action(self) -> &'static str {
        match self {
            Self::Upgrade(_) => "upgrade_me",
            Self::Downgrade => "downgrade_me",
        }
    }

    fn apply(self, user: &mut User, now: Timestamp) -> Result<bool> {
        match self {
            Self::Upgrade(months) => user.upgrade(months, now),
            Self::Downgrade => user.set_tier(Tier::Basic, None, now),
        }
    }
}

impl Services {
    /// Makes oneself premium, for so many months or for good.
    pub async fn upgrade_me(
        &self,
        who: &SignedIn,
        months: Option<Months>,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        self.change_my_tier(who, Step::Upgrade(months), expected, client)
            .await
    }

    /// Makes oneself basic; what was left of premium is gone.
    pub async fn downgrade_me(
        &self,
        who: &SignedIn,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        self.change_my_tier(who, Step::Downgrade, expected, client)
            .await
    }

    async fn change_my_tier(
        &self,
        who: &SignedIn,
        step: Step,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        let changed = self.apply_step(who, step, expected, client).await;
        self.trace_refusal(changed, (step.action(), who.actor(), who.user.id), client)
            .await
    }

    async fn apply_step(
        &self,
        who: &SignedIn,
        step: Step,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        if !self.policy.subscription_self_service && !who.may(Permission::ManageSubscriptions) {
            return Err(Barrier::EntitlementRequired.into());
        }
        let tx = self.store.begin().await?;
        let mut user = self.lock_user(&tx, who.user.id).await?;
        self.session_must_hold(&tx, who, &user).await?;
        expected.must_be(user.version)?;
        if step.apply(&mut user, self.now())? {
            let entry = AuditEntry::success(step.action(), who.actor(), client);
            self.write_tier(&tx, &mut user, entry).await?;
        }
        self.commit(tx).await?;
        Ok(user)
    }

    /// Puts a person into a tier, whatever they do themselves.
    pub async fn set_subscription(
        &self,
        who: &SignedIn,
        id: UserId,
        wish: Subscription,
        client: &Client,
    ) -> Result<User> {
        let changed = self.apply_subscription(who, id, wish, client).await;
        self.trace_refusal(changed, (SET, who.actor(), id), client)
            .await
    }

    async fn apply_subscription(
        &self,
        who: &SignedIn,
        id: UserId,
        wish: Subscription,
        client: &Client,
    ) -> Result<User> {
        who.must(Permission::ManageSubscriptions)?;
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who.into()).await?;
        let mut user = self.lock_user(&tx, id).await?;
        who.must_outrank(&user)?;
        wish.expected.must_be(user.version)?;
        if user.set_tier(wish.tier, wish.until, self.now())? {
            let entry = AuditEntry::success(SET, who.actor(), client).on(id);
            self.write_tier(&tx, &mut user, entry).await?;
        }
        self.commit(tx).await?;
        Ok(user)
    }

    /// The changed tier with its audit row and event.
    async fn write_tier(&self, tx: &Tx, user: &mut User, entry: AuditEntry<'_>) -> Result<()> {
        users::update_user(tx, user, self.now()).await?;
        let client = entry.client;
        let told = json!({ "tier": user.tier.as_str(), "until": user.tier_until });
        self.audit(tx, entry.with(told.clone())).await?;
        let mut data = person(user);
        if let Value::Object(fields) = &mut data {
            fields.insert("subscription".to_owned(), told);
        }
        self.publish(tx, user.id, (EventType::SubscriptionChanged, data), client)
            .await
    }
}
