//! The catalogue: what operations cost.

use super::Decision;
use crate::snapshot::{Effects, PriceChange};
use crate::{
    DeletePrice, Operation, Outcome, Price, PutPrice, RESERVED_OPERATION, Refusal, Snapshot, Timestamp,
};

pub(super) fn put(snapshot: &Snapshot, clock: Timestamp, command: &PutPrice) -> Decision {
    if is_reserved(&command.operation) {
        return Decision::refused(Refusal::OperationIsReserved(command.operation.clone()));
    }

    // From here the command succeeds.
    let price = Price {
        id: snapshot.prices.get(&command.operation).map_or(command.id, |price| price.id),
        operation: command.operation.clone(),
        rate: command.rate,
        unit: command.unit.clone(),
        description: command.description.clone(),
        updated_at: Some(clock),
    };
    let effects = Effects { price: Some(PriceChange::Put(price.clone())), ..Effects::default() };
    Decision::done(Outcome::PricePut(price), effects)
}

pub(super) fn delete(snapshot: &Snapshot, command: &DeletePrice) -> Decision {
    if is_reserved(&command.operation) {
        return Decision::refused(Refusal::OperationIsReserved(command.operation.clone()));
    }
    if !snapshot.prices.contains_key(&command.operation) {
        return Decision::refused(Refusal::OperationIsUnknown(command.operation.clone()));
    }

    // From here the command succeeds.
    let effects =
        Effects { price: Some(PriceChange::Deleted(command.operation.clone())), ..Effects::default() };
    Decision::done(Outcome::PriceDeleted, effects)
}

fn is_reserved(operation: &Operation) -> bool {
    operation.as_str() == RESERVED_OPERATION
}
