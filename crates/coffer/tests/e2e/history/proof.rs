//! The checker checked: every kind of anomaly is caught under its name, and what only looks like one passes.

use super::anomaly::{Anomaly, Fault};
use super::checker::check;
use super::credits::Credits;
use super::journal::EntryKind;
use super::record::Seen;
use super::synthetic::{Ids, World, capture, charge, grant, hold, refund, release, short, told};

pub(super) fn anomalies(world: &World) -> Vec<Anomaly> {
    check(&world.history, std::slice::from_ref(&world.journal))
}

/// Wants these anomalies and no others.
#[track_caller]
fn catches(world: &World, faults: &[Fault]) {
    let found = anomalies(world);
    let kinds: Vec<Fault> = found.iter().map(|anomaly| anomaly.fault).collect();
    let text: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(kinds, faults, "{text:#?}");
}

fn whole(credits: i64) -> Credits {
    Credits::whole(credits)
}

fn available(credits: i64) -> Seen {
    Seen::ByCustomer { available: whole(credits) }
}

/// 10 granted, 3 charged, 2 charged, one after the other; and the balance read.
fn quiet() -> World {
    let mut world = World::new(Credits::ZERO);
    world.send("gift", grant(10), 10..20);
    world.send("one", charge(3), 30..40);
    world.send("two", charge(2), 50..60);
    world.read(70..80);
    world
}

/// A hold of 5 out of 10.
fn held() -> World {
    let mut world = World::new(Credits::ZERO);
    world.send("gift", grant(10), 10..20);
    world.send("hold", hold(5), 30..40);
    world
}

#[test]
fn a_quiet_history_passes() {
    catches(&quiet(), &[]);
}

#[test]
fn a_charge_acknowledged_and_lost_is_caught() {
    let mut world = quiet();
    world.history.reads.clear();
    world.journal.entries.pop();
    catches(&world, &[Fault::AcknowledgedAndLost]);
}

#[test]
fn a_charge_that_was_never_answered_may_be_there_or_not() {
    let mut world = quiet();
    world.carry_out("late", &charge(1));
    world.send("lost", charge(1), 90..100);
    world.operation("lost").tries[0].answer = None;
    let mut late = world.operation("lost").clone();
    late.name = "late".to_owned();
    world.history.operations.push(late.clone());
    late.name = "never came".to_owned();
    world.history.operations.push(late);
    catches(&world, &[]);
}

#[test]
fn a_release_that_was_never_answered_may_be_there_or_not() {
    for releases in 0..2 {
        let mut world = held();
        world.send("lost", release("hld_2"), 50..60);
        world.operation("lost").tries[0].answer = None;
        world.journal.entries.truncate(2 + releases);
        catches(&world, &[]);
    }
}

#[test]
fn a_charge_doubled_behind_one_answer_is_caught() {
    let mut world = quiet();
    world.carry_out("two", &charge(2));
    catches(&world, &[Fault::CarriedOutTwice]);
}

#[test]
fn a_charge_doubled_behind_a_lost_answer_is_caught() {
    let mut world = World::new(Credits::ZERO);
    world.send("gift", grant(10), 10..20);
    world.carry_out("one", &charge(3));
    world.send_twice("one", charge(3), 25, 50..60);
    world.operation("one").tries[1].answer.as_mut().expect("it was answered").replayed = false;
    catches(&world, &[Fault::CarriedOutTwice]);
}

#[test]
fn a_retry_that_charges_again_and_says_so_is_caught() {
    let mut world = quiet();
    let (status, body) = world.carry_out("two", &charge(2));
    world.operation("two").tries.push(told(90..99, status, false, body.to_string()));
    let faults = [Fault::CarriedOutTwice, Fault::ReplayIsNotMarked, Fault::CarriedOutTwice];
    catches(&world, &faults);
}

#[test]
fn two_operations_with_one_effect_are_caught() {
    let mut world = quiet();
    let mut other = world.operation("two").clone();
    other.name = "three".to_owned();
    world.history.operations.push(other);
    catches(&world, &[Fault::AcknowledgedAndLost]);
}

#[test]
fn a_hold_released_twice_is_caught() {
    let mut world = held();
    world.send("back", release("hld_2"), 50..60);
    world.post(EntryKind::Release, whole(5), Credits::ZERO, Ids::hold("hld_2", ""));
    catches(&world, &[Fault::CarriedOutTwice]);
}

#[test]
fn a_refund_that_was_made_twice_is_caught() {
    let mut world = quiet();
    let charge = world.id_of("one");
    world.send("back", refund(&charge, Some(1)), 90..100);
    world.carry_out("back", &refund(&charge, Some(1)));
    catches(&world, &[Fault::CarriedOutTwice]);
}

#[test]
fn an_entry_that_nobody_asked_for_is_caught() {
    let mut world = quiet();
    world.carry_out("who", &charge(1));
    catches(&world, &[Fault::AskedForByNobody]);
    let mut world = quiet();
    world.post(EntryKind::Adjust, whole(1), Credits::ZERO, Ids::default());
    catches(&world, &[Fault::AskedForByNobody]);
    let mut world = held();
    world.carry_out("", &release("hld_2"));
    catches(&world, &[Fault::AskedForByNobody]);
}

#[test]
fn a_refused_charge_that_was_made_is_caught() {
    let mut world = quiet();
    world.send("much", charge(6), 90..100);
    world.carry_out("much", &charge(1));
    catches(&world, &[Fault::EntryIsNotTheAnswer]);
}

#[test]
fn an_entry_with_other_credits_is_caught() {
    let mut world = quiet();
    world.operation("two").request = charge(1);
    catches(&world, &[Fault::EntryIsNotTheAnswer]);
}

#[test]
fn a_balance_told_wrongly_is_caught() {
    let mut world = quiet();
    let answer = world.operation("one").tries[0].answer.as_mut().expect("it was answered");
    answer.text = answer.text.replace(r#""available":"7""#, r#""available":"8""#);
    catches(&world, &[Fault::EntryIsNotTheAnswer]);
}

#[test]
fn a_repeated_request_has_the_same_answer() {
    let mut world = quiet();
    world.repeat("one", 90..99);
    catches(&world, &[]);

    let mut changed = world.clone();
    let answer = changed.operation("one").tries[1].answer.as_mut().expect("it was answered");
    answer.text = answer.text.replace(r#""available":"7""#, r#""available":"5""#);
    catches(&changed, &[Fault::AnswerChanged]);

    let mut unmarked = world.clone();
    unmarked.operation("one").tries[1].answer.as_mut().expect("it was answered").replayed = false;
    catches(&unmarked, &[Fault::ReplayIsNotMarked]);

    let mut first = quiet();
    first.operation("one").tries[0].answer.as_mut().expect("it was answered").replayed = true;
    catches(&first, &[Fault::ReplayIsNotMarked]);
}

#[test]
fn of_two_twins_one_is_the_first() {
    let mut world = quiet();
    world.repeat("two", 49..61);
    catches(&world, &[]);
    world.operation("two").tries[1].answer.as_mut().expect("it was answered").replayed = false;
    catches(&world, &[Fault::ReplayIsNotMarked]);
}

#[test]
fn reads_are_of_their_window() {
    for (seen, wait, faults) in [
        (available(7), 41..49, &[] as &[Fault]),
        // While the second charge is under way either is true.
        (available(7), 41..51, &[]),
        (available(5), 41..51, &[]),
        (available(7), 61..69, &[Fault::ReadOfThePast]),
        (available(10), 41..51, &[Fault::ReadOfThePast]),
        (available(5), 41..49, &[Fault::ReadFromTheFuture]),
        (available(6), 41..51, &[Fault::ReadOfNoState]),
        (Seen::ByOperator { available: whole(7), held: Credits::ZERO, seq: 2 }, 41..51, &[]),
        (
            Seen::ByOperator { available: whole(7), held: Credits::ZERO, seq: 3 },
            41..51,
            &[Fault::ReadOfNoState],
        ),
        (Seen::ByOperator { available: whole(7), held: whole(1), seq: 2 }, 41..51, &[Fault::ReadOfNoState]),
        (
            Seen::ByOperator { available: whole(5), held: Credits::ZERO, seq: 4 },
            61..69,
            &[Fault::ReadOfNoState],
        ),
        (
            Seen::ByOperator { available: whole(10), held: Credits::ZERO, seq: 1 },
            41..51,
            &[Fault::ReadOfThePast],
        ),
    ] {
        let mut world = quiet();
        world.read_as(seen, wait.clone());
        let found: Vec<Fault> = anomalies(&world).iter().map(|anomaly| anomaly.fault).collect();
        assert_eq!(found, faults, "{seen:?} from {wait:?}");
    }
}

#[test]
fn time_does_not_run_backwards_between_reads() {
    let mut world = quiet();
    world.send("slow", charge(1), 100..200);
    world.read_as(available(4), 110..120);
    world.read_as(available(4), 130..140);
    catches(&world, &[]);
    // Both states are of the window, but the charge was seen before.
    world.read_as(available(5), 150..160);
    catches(&world, &[Fault::ReadOfThePast]);
}

#[test]
fn what_a_read_has_shown_binds_whom_it_refuses() {
    let mut world = quiet();
    world.send("slow", charge(1), 100..200);
    world.read_as(available(4), 110..120);
    world.send("much", charge(9), 130..140);
    catches(&world, &[]);
    let refusal = short(whole(9), whole(5)).to_string();
    world.operation("much").tries[0] = told(130..140, 402, false, refusal);
    catches(&world, &[Fault::FalseRefusal]);
}

#[test]
fn a_refusal_is_true_at_some_moment_of_its_window() {
    for (wait, required, left, faults) in [
        (41..51, 8, 7, &[] as &[Fault]),
        (41..51, 8, 5, &[]),
        (61..69, 8, 7, &[Fault::FalseRefusal]),
        (41..51, 8, 10, &[Fault::FalseRefusal]),
        (41..51, 8, 6, &[Fault::FalseRefusal]),
        // Enough was available.
        (41..51, 7, 7, &[Fault::FalseRefusal]),
    ] {
        let mut world = quiet();
        world.send("much", charge(required), wait.clone());
        let refusal = short(whole(required), whole(left)).to_string();
        world.journal.entries.truncate(3);
        world.operation("much").tries[0] = told(wait.clone(), 402, false, refusal);
        let found: Vec<Fault> = anomalies(&world).iter().map(|anomaly| anomaly.fault).collect();
        assert_eq!(found, faults, "{required} of {left} from {wait:?}");
    }
}

#[test]
fn a_refusal_counts_the_overdraft() {
    let mut world = World::new(whole(5));
    world.send("deep", charge(5), 10..20);
    world.send("deeper", charge(1), 30..40);
    catches(&world, &[]);
    world.journal.overdraft_limit = whole(6);
    catches(&world, &[Fault::FalseRefusal]);
    world.journal.overdraft_limit = whole(4);
    catches(&world, &[Fault::JournalIsBroken]);
}

#[test]
fn a_refusal_that_was_retried_was_decided_before_its_first_answer() {
    let mut world = quiet();
    world.send_twice("much", charge(6), 85, 100..110);
    world.send("gift-2", grant(10), 150..160);
    world.repeat("much", 170..180);
    catches(&world, &[]);
}

#[test]
fn a_refusal_with_409_is_true_in_its_window() {
    let mut world = held();
    world.send("part", capture("hld_2", 3, false), 50..60);
    world.send("too much", capture("hld_2", 3, true), 70..80);
    world.send("end", capture("hld_2", 1, true), 90..100);
    world.send("too late", release("hld_2"), 110..120);
    world.send("back", refund("chg_3", Some(2)), 130..140);
    world.send("back again", refund("chg_3", Some(2)), 150..160);
    catches(&world, &[]);
    for (name, wait) in [("too much", 41..49), ("too late", 61..89), ("back again", 101..129)] {
        let mut world = world.clone();
        let answer = world.operation(name).tries[0].answer.clone().expect("it was answered");
        world.operation(name).tries[0] = told(wait, 409, false, answer.text);
        catches(&world, &[Fault::FalseRefusal]);
    }
}

#[test]
fn nobody_sees_an_account_between_a_final_capture_and_its_rest() {
    let mut world = held();
    world.send("end", capture("hld_2", 3, true), 50..60);
    world.read_as(Seen::ByOperator { available: whole(7), held: Credits::ZERO, seq: 4 }, 51..59);
    catches(&world, &[]);
    world.read_as(Seen::ByOperator { available: whole(5), held: whole(2), seq: 3 }, 51..59);
    catches(&world, &[Fault::ReadOfNoState]);
}

#[test]
fn entries_against_the_order_of_time_are_caught() {
    let mut world = World::new(Credits::ZERO);
    world.send("gift", grant(10), 10..20);
    world.send("later", charge(3), 50..60);
    world.send("sooner", charge(2), 30..40);
    catches(&world, &[Fault::AgainstTheOrderOfTime]);
    // At the same time any order is right, and so is one that a lost answer leaves open.
    let mut world = World::new(Credits::ZERO);
    world.send("gift", grant(10), 10..20);
    world.send("one", charge(3), 30..45);
    world.send("other", charge(2), 40..50);
    world.send_twice("lost", charge(1), 25, 80..90);
    world.send("sooner", charge(1), 60..70);
    catches(&world, &[]);
}

#[test]
fn a_journal_that_does_not_add_up_is_caught() {
    let mut gap = quiet();
    gap.journal.entries.remove(1);
    catches(&gap, &[Fault::JournalIsBroken]);
    let mut sum = quiet();
    sum.journal.entries[1].after.available = whole(8);
    catches(&sum, &[Fault::JournalIsBroken, Fault::JournalIsBroken]);
    let mut refunded = quiet();
    refunded.send("back", refund("chg_2", None), 90..100);
    refunded.send("more", refund("chg_3", None), 110..120);
    refunded.journal.entries[4].charge_id = Some("chg_2".to_owned());
    refunded.operation("more").request = refund("chg_2", None);
    catches(&refunded, &[Fault::JournalIsBroken]);
}

#[test]
fn an_answer_that_no_rule_knows_is_caught() {
    let mut world = quiet();
    world.send("broken", charge(9), 90..100);
    world.operation("broken").tries[0] = told(90..100, 500, false, "{}".to_owned());
    catches(&world, &[Fault::StrangeAnswer]);
}
