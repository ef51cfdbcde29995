//! The audit trail and the events (I4): what each use case leaves behind, found by the id of its request.

mod accounts;
mod changes;
mod floods;
mod refused;
mod sign_in;
mod trail;
