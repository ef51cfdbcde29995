//! `/api/v1`: one file a feature, named as its service. Routes stand in the feature's `routes()`.

pub mod account;
pub mod activity;
pub mod administration;
pub mod audit_logs;
pub mod audit_seals;
pub mod avatar;
pub mod card;
pub mod deactivation;
pub mod email_change;
pub mod email_verification;
pub mod erasure;
pub mod events;
pub mod export;
pub mod invitation;
pub mod login;
pub mod message;
pub mod password_change;
pub mod password_reset;
pub mod people;
pub mod preferences;
pub mod profile;
pub mod reauthentication;
pub mod required_reset;
pub mod roles;
pub mod search;
pub mod sessions;
pub mod signup;
pub mod stats;
pub mod subscription;
pub mod termination;
pub mod tokens;
pub mod user;
pub mod user_list;
pub mod users;
pub mod webhook_deliveries;
pub mod webhooks;

use crate::services::Services;
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The operations under their canonical paths.
fn described() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .nest("/api/v1/auth", auth())
        .nest("/api/v1/users", users())
        .nest(
            "/api/v1/audit-logs",
            OpenApiRouter::new().routes(routes!(audit_seals::list_audit_checkpoints)),
        )
        .nest(
            "/api/v1/roles",
            OpenApiRouter::new().routes(routes!(roles::list_roles)),
        )
        .nest("/api/v1/webhooks", webhooks())
}

/// All of them.
pub fn routes() -> Router<Services> {
    Router::from(described())
}

/// The operations that offer more than JSON, and so look at `Accept` themselves.
fn described_in_many_forms() -> OpenApiRouter<Services> {
    OpenApiRouter::new().nest(
        "/api/v1",
        OpenApiRouter::new()
            .routes(routes!(audit_logs::list_audit_logs))
            .routes(routes!(events::list_events)),
    )
}

/// All of those.
pub fn routes_in_many_forms() -> Router<Services> {
    Router::from(described_in_many_forms())
}

/// The users' operations alone, to be mounted at another path, too.
pub fn user_routes() -> Router<Services> {
    Router::from(users())
}

/// What the document says of them, and of those that have paths of their own.
pub fn document() -> OpenApi {
    let elsewhere = OpenApiRouter::<Services>::new()
        .routes(routes!(signup::signup))
        .routes(routes!(email_verification::verify_email_get));
    let mut document = described().into_openapi();
    document.merge(elsewhere.into_openapi());
    document.merge(described_in_many_forms().into_openapi());
    document
}

/// Everything under `/api/v1/auth`.
fn auth() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(signup::register))
        .routes(routes!(login::login))
        .routes(routes!(tokens::refresh))
        .routes(routes!(sessions::logout))
        .routes(routes!(sessions::logout_all))
        .routes(routes!(reauthentication::reauthenticate))
        .routes(routes!(password_reset::request_password_reset))
        .routes(routes!(password_reset::confirm_password_reset))
        .routes(routes!(email_verification::request_email_verification))
        .routes(routes!(email_verification::verify_email))
        .routes(routes!(email_verification::decline_email_verification))
        .routes(routes!(users::get_me_auth))
        .routes(routes!(password_change::change_password))
        .routes(routes!(password_change::get_password_policy))
        .routes(routes!(email_change::change_email))
        .routes(routes!(email_change::confirm_email_change))
        .routes(routes!(email_change::undo_email_change))
        .routes(routes!(invitation::accept_invitation))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::get_session, sessions::revoke_session))
}

/// Everything under `/api/v1/webhooks`.
fn webhooks() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::list_webhooks, webhooks::create_webhook))
        .routes(routes!(
            webhooks::get_webhook,
            webhooks::update_webhook,
            webhooks::delete_webhook
        ))
        .routes(routes!(webhooks::rotate_webhook_secret))
        .routes(routes!(webhook_deliveries::list_webhook_deliveries))
        .routes(routes!(webhook_deliveries::replay_webhook_delivery))
}

/// What people keep here of themselves.
fn own_data() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(
            profile::get_profile,
            profile::update_profile,
            profile::update_profile_put
        ))
        .routes(routes!(
            preferences::get_preferences,
            preferences::update_preferences,
            preferences::update_preferences_put
        ))
        .routes(routes!(stats::get_stats))
        .routes(routes!(export::export_me))
        .routes(routes!(subscription::upgrade_me))
        .routes(routes!(subscription::downgrade_me))
}

/// Everything under `/api/v1/users`.
fn users() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(
            users::get_me,
            account::update_me,
            account::update_me_put,
            termination::delete_me
        ))
        .routes(routes!(search::search_users))
        .routes(routes!(termination::terminate_account))
        .routes(routes!(activity::list_activity))
        .merge(own_data())
        .routes(routes!(
            avatar::get_my_avatar,
            avatar::update_avatar,
            avatar::delete_avatar
        ))
        .routes(routes!(avatar::get_avatar))
        .routes(routes!(user_list::list_users, administration::create_user))
        .routes(routes!(
            people::get_user,
            administration::update_user,
            administration::update_user_put,
            erasure::erase_user
        ))
        .routes(routes!(people::get_user_profile))
        .routes(routes!(people::get_user_preferences))
        .routes(routes!(deactivation::deactivate_user))
        .routes(routes!(deactivation::reactivate_user))
        .routes(routes!(deactivation::soft_delete_users))
        .routes(routes!(sessions::revoke_user_sessions))
        .routes(routes!(required_reset::require_password_reset))
        .routes(routes!(roles::set_roles))
        .routes(routes!(subscription::set_subscription))
}
