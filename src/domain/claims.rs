//! What an access token says (RFC 7519, RFC 9068).

use super::{
    id::{AccessTokenId, SessionId, UserId},
    permission::Roles,
};
use serde::{Deserialize, Serialize};

/// The `typ` header of our access tokens (RFC 9068), which no other token of ours carries.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// Clocks of services that check our tokens may differ by this many seconds.
pub const LEEWAY_SECONDS: i64 = 5;

/// The claims of an access token; times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: String,
    pub aud: String,
    pub sub: UserId,
    pub sid: SessionId,
    pub jti: AccessTokenId,
    pub iat: i64,
    pub exp: i64,
    pub auth_time: i64,
    pub roles: Roles,
    pub tier: String,
}
