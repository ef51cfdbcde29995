//! Taking people over from another system: batch by batch, each in one transaction with the note that it is done, so
//! that an interrupted import goes on where it stopped. Whoever cannot be taken is reported, never silently left out.

use super::{Services, events::person, personal_data::field};
use crate::{
    domain::{
        Error, Result,
        client::Client,
        error::{Clash, Fault, Violation},
        import::ImportedPerson,
        secret::BlindIndex,
        user::User,
        username::Username,
    },
    infra::hasher,
    storage::{
        bulk, deferred_indexes,
        imports::{self, Batch, NewPerson, Taken},
    },
};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How often a batch is tried again when somebody signs up with one of its addresses at the same moment.
const ATTEMPTS: usize = 3;

/// A record of the file by its number, from 1; a fault if it cannot be read.
pub struct ImportRecord {
    pub number: u64,
    pub fields: Result<Map<String, Value>, Fault>,
}

/// A record that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    pub number: u64,
    pub violations: Vec<Violation>,
}

/// The file that is taken over.
#[derive(Debug, Clone)]
pub struct ImportFile {
    /// SHA-256 in base64url: the same file goes on where it stopped.
    pub digest: String,
    pub publishes_events: bool,
}

/// A batch that is ready to be written.
pub struct PreparedBatch {
    first_record: u64,
    records: u64,
    people: Vec<(u64, NewPerson)>,
    refused: Vec<RefusedRecord>,
}

/// What became of a batch.
pub struct WrittenBatch {
    pub imported: u64,
    pub refused: Vec<RefusedRecord>,
}

impl Services {
    /// How many records of this file were dealt with before, and how many people came of them.
    pub async fn count_import_done(&self, file: &ImportFile) -> Result<(u64, u64)> {
        let (records, imported) = imports::count_done(self.store.reader(), &file.digest).await?;
        Ok((records.unsigned_abs(), imported.unsigned_abs()))
    }

    /// Readies the database for very many people; may put off the indexes of lists and search, which makes those slow until
    /// [`Self::finish_import`].
    pub async fn ready_import(&self, defers_indexes: bool) -> Result<()> {
        bulk::make_ready(&self.store).await?;
        if defers_indexes {
            deferred_indexes::defer_indexes(&self.store).await?;
        }
        Ok(())
    }

    /// Makes the indexes again that were put off.
    pub async fn finish_import(&self) -> Result<()> {
        deferred_indexes::restore_indexes(&self.store).await
    }

    /// Reads and seals a batch of records that follow each other; no database, but much computing.
    pub fn prepare_import(
        &self,
        file: &ImportFile,
        records: Vec<ImportRecord>,
    ) -> Result<PreparedBatch> {
        let mut batch = PreparedBatch {
            first_record: records.first().map_or(0, |record| record.number),
            records: records.len() as u64,
            people: Vec::with_capacity(records.len()),
            refused: Vec::new(),
        };
        let mut seen = Taken::default();
        for ImportRecord { number, fields } in records {
            let read = fields
                .map_err(|fault| vec![fault.of("record")])
                .and_then(|fields| read(&fields));
            let read = read.and_then(|person| {
                let index = self.email_index(&person.email);
                must_be_free(&mut seen, index, person.username.as_ref())?;
                Ok((person, index))
            });
            match read {
                Ok((person, index)) => {
                    let person = self.new_person(person, index, file.publishes_events)?;
                    batch.people.push((number, person));
                }
                Err(violations) => batch.refused.push(RefusedRecord { number, violations }),
            }
        }
        Ok(batch)
    }

    fn new_person(
        &self,
        record: ImportedPerson,
        email_index: BlindIndex,
        publishes_event: bool,
    ) -> Result<NewPerson> {
        let user = self.account_of(&record);
        let key = self.vault.new_data_key();
        let wrapped = self.vault.wrap(&key, &user.id.to_string())?;
        let email = self.seal(&key, field::EMAIL, user.email.as_str())?;
        let event = if publishes_event {
            let data = person(&user).to_string();
            Some((self.new_id(), self.seal(&key, field::EVENT_DATA, &data)?))
        } else {
            None
        };
        Ok(NewPerson {
            user: user.with_email(email),
            email_index,
            key: wrapped,
            password_hash: record.password_hash.map(|hash| hash.as_str().to_owned()),
            event,
        })
    }

    fn account_of(&self, record: &ImportedPerson) -> User {
        let now = self.now();
        User {
            username: record.username.clone(),
            full_name: record.full_name.clone(),
            country: record.country.clone(),
            state_province: record.state_province.clone(),
            current_title: record.current_title.clone(),
            location: record.location.clone(),
            locale: record.locale.clone(),
            timezone: record.timezone.clone(),
            status: record.status,
            verified_at: record.is_verified.then_some(now),
            roles: record.roles.clone(),
            tier: record.tier,
            tier_until: record.tier_until,
            created_at: record.created_at.unwrap_or(now).min(now),
            updated_at: now,
            ..User::pending(self.new_id(), record.email.clone(), now)
        }
    }

    /// Writes a batch, but for those whose address or username is taken.
    pub async fn write_import(
        &self,
        file: &ImportFile,
        mut batch: PreparedBatch,
        client: &Client,
    ) -> Result<WrittenBatch> {
        let mut attempt = 1;
        loop {
            self.drop_taken(&mut batch).await?;
            let (numbers, people): (Vec<u64>, Vec<NewPerson>) =
                std::mem::take(&mut batch.people).into_iter().unzip();
            let note = Batch {
                file_digest: &file.digest,
                first_record: i64::try_from(batch.first_record).unwrap_or(i64::MAX),
                records: i64::try_from(batch.records).unwrap_or(i64::MAX),
                at: self.now(),
                audit_id: self.new_id(),
                request_id: &client.request_id,
            };
            match imports::insert_batch(&self.store, &people, &note).await {
                Ok(()) => {
                    return Ok(WrittenBatch {
                        imported: people.len() as u64,
                        refused: batch.refused,
                    });
                }
                Err(Error::Conflict(Clash::EmailTaken | Clash::UsernameTaken))
                    if attempt < ATTEMPTS =>
                {
                    attempt += 1;
                    batch.people = numbers.into_iter().zip(people).collect();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells what would become of a batch, and writes nothing; `seen` are the people of the batches before.
    pub async fn check_import(
        &self,
        mut batch: PreparedBatch,
        seen: &mut HashSet<BlindIndex>,
    ) -> Result<WrittenBatch> {
        self.drop_taken(&mut batch).await?;
        let (mut imported, mut refused) = (0, batch.refused);
        for (number, person) in batch.people {
            if seen.insert(person.email_index) {
                imported += 1;
            } else {
                refused.push(RefusedRecord {
                    number,
                    violations: vec![email_taken()],
                });
            }
        }
        Ok(WrittenBatch { imported, refused })
    }

    async fn drop_taken(&self, batch: &mut PreparedBatch) -> Result<()> {
        let emails: Vec<BlindIndex> = batch
            .people
            .iter()
            .map(|(_, person)| person.email_index)
            .collect();
        let usernames: Vec<Username> = batch
            .people
            .iter()
            .filter_map(|(_, person)| person.user.username.clone())
            .collect();
        let mut taken =
            imports::find_taken(self.store.reader(), &emails, &usernames, self.now()).await?;
        let PreparedBatch {
            people, refused, ..
        } = batch;
        people.retain(|(number, person)| {
            match must_be_free(
                &mut taken,
                person.email_index,
                person.user.username.as_ref(),
            ) {
                Ok(()) => true,
                Err(violations) => {
                    refused.push(RefusedRecord {
                        number: *number,
                        violations,
                    });
                    false
                }
            }
        });
        Ok(())
    }
}

fn read(fields: &Map<String, Value>) -> Result<ImportedPerson, Vec<Violation>> {
    let person = ImportedPerson::read(fields)?;
    if let Some(hash) = &person.password_hash {
        hasher::must_be_usable(hash).map_err(|fault| vec![fault.of("password_hash")])?;
    }
    Ok(person)
}

fn email_taken() -> Violation {
    Violation::new(
        "email",
        Clash::EmailTaken.code(),
        Clash::EmailTaken.message(),
    )
}

/// Refuses what is taken, and takes it.
fn must_be_free(
    taken: &mut Taken,
    email: BlindIndex,
    username: Option<&Username>,
) -> Result<(), Vec<Violation>> {
    let (email, username) = (email.0.to_vec(), username.map(Username::key));
    let mut clashes = Vec::new();
    if taken.emails.contains(&email) {
        clashes.push(email_taken());
    }
    if username
        .as_ref()
        .is_some_and(|name| taken.usernames.contains(name))
    {
        let clash = Clash::UsernameTaken;
        clashes.push(Violation::new("username", clash.code(), clash.message()));
    }
    if clashes.is_empty() {
        taken.emails.insert(email);
        taken.usernames.extend(username);
        return Ok(());
    }
    Err(clashes)
}
