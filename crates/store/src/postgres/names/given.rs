//! After it is decided who gets a name: claims, which are written with the owners, and reservations that are made good.

use deadpool_postgres::Object;
use uuid::Uuid;

use super::{Wish, bucket_of_name, named};
use crate::postgres::database::all;
use crate::postgres::statement::{self, Call, Form, Given, by_statement};

/// Reservations of which it is known who gets the name.
#[derive(Debug, Default)]
pub(in crate::postgres) struct GivenNames {
    pub(super) used: Vec<Wish>,
    pub(super) unused: Vec<Wish>,
    /// Whether a name goes to somebody else than the one for whom it was reserved.
    pub(in crate::postgres) has_moved: bool,
}

impl GivenNames {
    /// The claims, which are written together with the owners.
    pub(in crate::postgres) fn claims(&self, form: Form) -> Vec<Call> {
        let parts = by_statement(form, self.used.clone(), Wish::owner_bucket);
        let claim = |part: Vec<Wish>| {
            let given = Given::of(form, &part, Wish::owner_bucket);
            given.with("reservation", "uuid", &part, |wish| wish.reservation).insert("claims")
        };
        parts.into_iter().map(claim).collect()
    }

    /// Before the owners are written: notes those who get a name that was reserved for another.
    pub(in crate::postgres) async fn note_owners(
        &self,
        connection: &Object,
        form: Form,
    ) -> Result<(), tokio_postgres::Error> {
        if !self.has_moved {
            return Ok(());
        }
        for part in by_statement(form, self.used.clone(), |wish| bucket_of_name(&wish.name)) {
            let given = named(form, &part).with("reservation", "uuid", &part, |wish| wish.reservation);
            let given = given.with("owner", "uuid", &part, |wish| statement::id(wish.owner));
            all(connection, vec![given.update("directory", 3)]).await?;
        }
        Ok(())
    }

    /// After the commit: makes the reservations good, and gives up those that were not needed. Where it breaks off, the
    /// names are settled by whoever wants them next.
    pub(in crate::postgres) async fn settle(
        &self,
        connection: &Object,
        form: Form,
    ) -> Result<(), tokio_postgres::Error> {
        for part in by_statement(form, self.unused.clone(), |wish| bucket_of_name(&wish.name)) {
            let call = named(form, &part).with("reservation", "uuid", &part, |wish| wish.reservation);
            all(connection, vec![call.delete("directory")]).await?;
        }
        for part in by_statement(form, self.used.clone(), |wish| bucket_of_name(&wish.name)) {
            let call = named(form, &part).with("reservation", "uuid", &part, |_| None::<Uuid>);
            all(connection, vec![call.update("directory", 2)]).await?;
        }
        // Only now: without its claim, a reservation that was not made good would seem to be nobody's.
        for part in by_statement(form, self.used.clone(), Wish::owner_bucket) {
            let given = Given::of(form, &part, Wish::owner_bucket);
            let call = given.with("reservation", "uuid", &part, |wish| wish.reservation).delete("claims");
            all(connection, vec![call]).await?;
        }
        Ok(())
    }
}
