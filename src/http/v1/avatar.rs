//! One's picture, and those of others.

use super::user::avatar_path;
use crate::{
    domain::{Result, actor::SignedIn, avatar::AvatarSize},
    http::extract::{Caller, Check, Field, IfMatchTag, IfNoneMatch, PersonId, Query, Upload},
    services::{
        Services,
        avatar::{Avatar, tag_of},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is taken; `image/jpg` is nobody's standard, but often sent.
const TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/jpg"];
/// 5 MiB.
const LIMIT: usize = 5 * 1024 * 1024;

/// Where the picture is.
#[derive(Serialize, ToSchema)]
#[schema(as = AvatarLocation)]
pub struct AvatarResponse {
    #[schema(
        max_length = 200,
        example = "/api/v1/users/01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f/avatar"
    )]
    avatar_url: String,
    /// The `ETag` that it has there, for `If-Match`. In the body, since the picture is not kept as it was sent (RFC 9110,
    /// section 9.3.4).
    #[schema(max_length = 40, example = "\"Zk3Vd0aT9sWq1Lr7-512\"")]
    etag: Option<String>,
}

/// A picture sent in a form.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only the document names it; the form is read as a stream"
)]
pub struct AvatarForm {
    /// The picture; its name is not looked at.
    #[schema(value_type = String, format = Binary, max_length = 5_242_880, example = "(the bytes of a picture)")]
    file: Vec<u8>,
}

/// Which size is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AvatarQuery {
    /// Width and height in pixels: 512 (default) or 64.
    #[param(value_type = Option<String>, max_length = 3, pattern = "^(512|64)$", example = "512")]
    #[serde(default)]
    size: Field<String>,
}

impl AvatarQuery {
    fn parse(self) -> Result<AvatarSize> {
        let mut check = Check::new();
        let size = check.optional_text("size", self.size, AvatarSize::parse);
        Ok(check.done(size)?.unwrap_or_default())
    }
}

/// Change one's picture
///
/// PNG, JPEG or WebP of at most 5 MiB, 10,000 pixels on a side and 25 million in all (WebP: 7 million); of an animation
/// the first frame. It is turned upright, cut to the square in its middle and kept as PNG of 512 and of 64 pixels, without
/// metadata.
#[utoipa::path(
    put, path = "/me/avatar", tag = "Account", operation_id = "update_avatar", security(("bearerAuth" = [])),
    request_body(description = "The picture itself, or a form with it in the field `file`", content(
        (String = "image/png", example = "(the bytes of a picture)"),
        (String = "image/jpeg", example = "(the bytes of a picture)"),
        (String = "image/webp", example = "(the bytes of a picture)"),
        (AvatarForm = "multipart/form-data"),
    )),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the picture that is replaced, in either size; `*` for any", max_length = 1000)),
    responses((status = 200, description = "Where it is now", body = AvatarResponse), (status = 412, description = "`stale`"), (status = 503, description = "`busy`, `unavailable` or `timeout`"))
)]
pub async fn update_avatar(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatchTag(expected): IfMatchTag,
    upload: Upload,
) -> Result<Json<AvatarResponse>> {
    let slot = services.reserve_avatar(&who)?;
    let file = upload.read(&TYPES, LIMIT).await?;
    let user = services
        .update_avatar(&who, (slot, file), &expected, &client)
        .await?;
    let tag = tag_of(&user, AvatarSize::default());
    Ok(Json(AvatarResponse {
        avatar_url: avatar_path(user.id),
        etag: tag.map(|tag| format!("\"{tag}\"")),
    }))
}

/// Remove one's picture
///
/// It is no error if there is none.
#[utoipa::path(
    delete, path = "/me/avatar", tag = "Account", operation_id = "delete_avatar", security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the picture that is removed, in either size; `*` for any", max_length = 1000)),
    responses(
        (status = 204, description = "There is no picture any more"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn delete_avatar(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatchTag(expected): IfMatchTag,
) -> Result<StatusCode> {
    services.delete_avatar(&who, &expected, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See one's picture
///
/// Its `ETag` names these very bytes; with `If-None-Match` the answer is 304 while they are the same.
#[utoipa::path(
    get, path = "/me/avatar", tag = "Account", operation_id = "get_my_avatar", security(("bearerAuth" = [])),
    params(AvatarQuery, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what one has", max_length = 1000)),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/png", headers(("ETag" = String, description = "Names these bytes")), example = json!("(the bytes of a picture)")),
        (status = 304, description = "It has not changed"),
        (status = 404, description = "`not_found`"),
        (status = 406, description = "`not_acceptable`"),
    )
)]
pub async fn get_my_avatar(
    State(services): State<Services>,
    who: SignedIn,
    seen: IfNoneMatch,
    Query(query): Query<AvatarQuery>,
) -> Result<Response> {
    let (id, size) = (who.user.id, query.parse()?);
    let avatar = services
        .get_avatar(&who, id, size, |tag| seen.has(tag))
        .await?;
    Ok(picture(avatar))
}

/// See somebody's picture
///
/// Everyone sees their own, staff everybody's, premium members those of active people who are not hidden. A person who
/// is hidden, away or not there at all is the same 404, and so is one without a picture.
#[utoipa::path(
    get, path = "/{id}/avatar", tag = "People", operation_id = "get_avatar", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The person's id"), AvatarQuery, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what one has", max_length = 1000)),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/png", headers(("ETag" = String, description = "Names these bytes")), example = json!("(the bytes of a picture)")),
        (status = 304, description = "It has not changed"),
        (status = 403, description = "`premium_required`"),
        (status = 404, description = "`not_found`"),
        (status = 406, description = "`not_acceptable`"),
    )
)]
pub async fn get_avatar(
    State(services): State<Services>,
    who: SignedIn,
    PersonId(id): PersonId,
    seen: IfNoneMatch,
    Query(query): Query<AvatarQuery>,
) -> Result<Response> {
    let size = query.parse()?;
    let avatar = services
        .get_avatar(&who, id, size, |tag| seen.has(tag))
        .await?;
    Ok(picture(avatar))
}

/// May be kept by the one who asked, who asks again each time whether it is still to be seen.
fn picture(avatar: Avatar) -> Response {
    let mut response = match avatar.bytes {
        Some(bytes) => bytes.into_response(),
        None => StatusCode::NOT_MODIFIED.into_response(),
    };
    let is_whole = response.status() == StatusCode::OK;
    let headers = response.headers_mut();
    let fixed = |text| HeaderValue::from_static(text);
    headers.insert(
        header::CACHE_CONTROL,
        fixed("private, max-age=0, must-revalidate"),
    );
    headers.append(header::VARY, fixed("authorization"));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", avatar.tag)) {
        headers.insert(header::ETAG, tag);
    }
    if is_whole {
        headers.insert(header::CONTENT_TYPE, fixed(avatar.media_type));
        let name = fixed("inline; filename=\"avatar.png\"");
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
