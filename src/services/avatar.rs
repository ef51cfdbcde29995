//! People's pictures: sent by their owner, seen by whoever may see the person, sealed under the person's key.

use super::{Services, personal_data::field};
use crate::{
    domain::{
        Error, Result, actor::SignedIn, audit::AuditEntry, avatar::AvatarSize, change::ExpectedTag,
        client::Client, id::UserId, user::User,
    },
    infra::{
        image::{Picture, Slot},
        vault::DataKey,
    },
    storage::{avatars, users},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

const UPDATE: &str = "update_avatar";
const DELETE: &str = "delete_avatar";

/// What an event calls the field that changed.
const CHANGED: &[&str] = &["avatar"];

/// Characters of a tag, six bits each.
const TAG_LENGTH: usize = 16;

/// A picture on its way out.
pub struct Avatar {
    /// Names these very bytes.
    pub tag: String,
    pub media_type: &'static str,
    /// None if whoever asks has them already.
    pub bytes: Option<Vec<u8>>,
}

impl Services {
    /// A place for a picture of the person who asks, taken before its bytes are read; `busy` if there is none.
    pub fn reserve_avatar(&self, who: &SignedIn) -> Result<Slot> {
        self.images.reserve(who.user.id)
    }

    /// Makes this file the picture of the person who asks.
    pub async fn update_avatar(
        &self,
        who: &SignedIn,
        (slot, file): (Slot, Bytes),
        expected: &ExpectedTag,
        client: &Client,
    ) -> Result<User> {
        let picture = slot.prepare(file).await?;
        let done = self.replace_avatar(who, &picture, expected, client).await;
        self.trace_refusal(done, (UPDATE, who.actor(), who.user.id), client)
            .await
    }

    async fn replace_avatar(
        &self,
        who: &SignedIn,
        picture: &Picture,
        expected: &ExpectedTag,
        client: &Client,
    ) -> Result<User> {
        let tx = self.store.begin().await?;
        let mut user = self.lock_user(&tx, who.user.id).await?;
        self.session_must_hold(&tx, who, &user).await?;
        expected.must_be(&tags_of(&user))?;
        let now = self.now();
        let key = self.user_key(&tx, user.id).await?;
        let seal = |field, image: &[u8]| key.seal(field, image, &self.entropy);
        let sealed = (
            seal(field::AVATAR_LARGE, &picture.large)?,
            seal(field::AVATAR_SMALL, &picture.small)?,
        );
        avatars::replace_avatar(&tx, user.id, sealed, now).await?;
        user.avatar_tag = Some(tag(&key, picture));
        users::update_user(&tx, &mut user, now).await?;
        let entry = AuditEntry::success(UPDATE, who.actor(), client);
        self.tell_update(&tx, &user, entry, CHANGED).await?;
        self.commit(tx).await?;
        Ok(user)
    }

    /// Forgets the picture of the person who asks; it is no error if there is none.
    pub async fn delete_avatar(
        &self,
        who: &SignedIn,
        expected: &ExpectedTag,
        client: &Client,
    ) -> Result<()> {
        let done = self.remove_avatar(who, expected, client).await;
        self.trace_refusal(done, (DELETE, who.actor(), who.user.id), client)
            .await
    }

    async fn remove_avatar(
        &self,
        who: &SignedIn,
        expected: &ExpectedTag,
        client: &Client,
    ) -> Result<()> {
        let tx = self.store.begin().await?;
        let mut user = self.lock_user(&tx, who.user.id).await?;
        self.session_must_hold(&tx, who, &user).await?;
        expected.must_be(&tags_of(&user))?;
        if user.avatar_tag.take().is_none() {
            return Ok(());
        }
        avatars::delete_avatar(&tx, user.id).await?;
        users::update_user(&tx, &mut user, self.now()).await?;
        let entry = AuditEntry::success(DELETE, who.actor(), client);
        self.tell_update(&tx, &user, entry, CHANGED).await?;
        self.commit(tx).await
    }

    /// A person's picture, if this one may see the person; without its bytes if `has` knows its tag.
    pub async fn get_avatar(
        &self,
        who: &SignedIn,
        owner: UserId,
        size: AvatarSize,
        has: impl Fn(&str) -> bool,
    ) -> Result<Avatar> {
        let user = self.must_see(who, owner).await?;
        let missing = || Error::NotFound("picture");
        let tag = tag_of(&user, size).ok_or_else(missing)?;
        let bytes = if has(&tag) {
            None
        } else {
            let db = self.store.reader();
            // Taken away since the person was read.
            let sealed = avatars::find_avatar(db, owner, size).await?;
            let sealed = sealed.ok_or_else(missing)?;
            let key = self.user_key(db, owner).await?;
            Some(key.open(field_of(size), &sealed)?.to_vec())
        };
        Ok(Avatar {
            tag,
            media_type: crate::infra::image::MEDIA_TYPE,
            bytes,
        })
    }
}

/// Names the bytes of a person's picture in this size; none if there is no picture.
pub fn tag_of<E>(user: &User<E>, size: AvatarSize) -> Option<String> {
    let tag = user.avatar_tag.as_deref()?;
    Some(format!("{tag}-{}", size.pixels()))
}

fn tags_of(user: &User) -> Vec<String> {
    let sizes = [AvatarSize::Large, AvatarSize::Small];
    sizes
        .iter()
        .filter_map(|size| tag_of(user, *size))
        .collect()
}

fn field_of(size: AvatarSize) -> &'static str {
    match size {
        AvatarSize::Large => field::AVATAR_LARGE,
        AvatarSize::Small => field::AVATAR_SMALL,
    }
}

/// Names the picture, and tells nothing of it without its owner's key: the same picture of two people has two tags.
fn tag(key: &DataKey, picture: &Picture) -> String {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&picture.large));
    let mut tag = URL_SAFE_NO_PAD.encode(key.blind_index("avatar", &digest).0);
    tag.truncate(TAG_LENGTH);
    tag
}
