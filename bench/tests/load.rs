//! The load against a server that counts what it is sent, and that can halt.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coffer_load::{Counted, Expected, Order, Pace, Plan, Protocol, Requests, Template, Until, Values, run};

const HALT: Duration = Duration::from_millis(400);

/// How a server answers the request with a number.
type Answering = fn(u64) -> (&'static str, String);

struct Server {
    address: SocketAddr,
    answered: Arc<AtomicU64>,
}

/// A server that answers each request, of one write and without a body, by one write.
fn serve(answer: Answering) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    let answered = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&answered);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let counter = Arc::clone(&counter);
            std::thread::spawn(move || answer_all(stream.expect("it connects"), &counter, answer));
        }
    });
    Server { address, answered }
}

fn answer_all(mut stream: TcpStream, counter: &AtomicU64, answer: Answering) {
    stream.set_nodelay(true).expect("it is a socket");
    let mut request = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut request) {
        assert!(request[..count].ends_with(b"\r\n\r\n"), "a request comes whole");
        let (status, body) = answer(counter.fetch_add(1, Ordering::SeqCst));
        let text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn requests(server: &Server, expected: Expected) -> Requests {
    let values = Arc::new(Values::numbers(10, 4));
    let path = format!("/{}", values.placeholder());
    Requests::new(Template::http("GET", &path, server.address, &[], ""), values, Order::InTurn, expected)
}

fn plan(server: &Server, connections: usize, pace: Pace, until: Until) -> Plan {
    Plan { address: server.address, protocol: Protocol::Http, connections, pace, until }
}

#[test]
fn a_closed_loop_counts_what_the_server_counts() {
    let server = serve(|_| ("200 OK", "{}".to_owned()));
    let until = Until::Elapsed(Duration::from_millis(300));
    let counted = run(&plan(&server, 4, Pace::Closed, until), &mut requests(&server, Expected::status(200)));
    let counted = counted.and_then(Counted::flawless).expect("every answer is right");
    assert_eq!(counted.answers_in_all(), server.answered.load(Ordering::SeqCst));
    assert!(counted.answers > 0 && counted.answers <= counted.answers_in_all());
    assert_eq!(counted.elapsed, Duration::from_millis(300));
    assert_eq!(
        counted.per_second(10),
        u64::try_from(u128::from(counted.answers) * 10_000 / 300).expect("it is small")
    );
}

#[test]
fn a_loop_ends_when_there_are_no_more_requests() {
    let server = serve(|number| ("201 Created", format!("{{\"id\":\"acc_{number:04}\"}}")));
    let requests = requests(&server, Expected::status(201)).limited(1000);
    let mut requests = requests.harvesting("\"id\":\"", 8);
    let counted = run(&plan(&server, 16, Pace::Closed, Until::Exhausted), &mut requests);
    let counted = counted.and_then(Counted::flawless).expect("every answer is right");
    assert_eq!((counted.answers, server.answered.load(Ordering::SeqCst)), (1000, 1000));
    let harvested = requests.harvested();
    let mut ids: Vec<&[u8]> = (0..harvested.len()).map(|index| harvested.get(index)).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), ids[0], ids[999]), (1000, b"acc_0000".as_slice(), b"acc_0999".as_slice()));
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let server = serve(|_| ("200 OK", String::new()));
    let until = Until::Elapsed(Duration::from_secs(1));
    let pace = Pace::Open { per_second: 500 };
    let counted = run(&plan(&server, 8, pace, until), &mut requests(&server, Expected::status(200)));
    let counted = counted.and_then(Counted::flawless).expect("every answer is right");
    assert_eq!((counted.answers_in_all(), server.answered.load(Ordering::SeqCst)), (500, 500));
}

/// A server that halts once makes everybody wait who came meanwhile. In a closed loop that is one request of thousands;
/// by the clock it is all those that were due.
#[test]
fn a_halt_counts_for_everybody_who_would_have_waited() {
    let halting: Answering = |number| {
        if number == 100 {
            std::thread::sleep(HALT);
        }
        ("200 OK", String::new())
    };
    let until = Until::Elapsed(Duration::from_secs(1));
    let half_of_halt = u64::try_from(HALT.as_nanos() / 2).expect("it is short");

    let server = serve(halting);
    let pace = Pace::Open { per_second: 1000 };
    let open = run(&plan(&server, 1, pace, until), &mut requests(&server, Expected::status(200)));
    let open = open.and_then(Counted::flawless).expect("every answer is right");
    assert_eq!(open.answers_in_all(), 1000, "what is due is sent, late or not");
    assert!(open.latency_ns(0.85) > half_of_halt, "{} ns", open.latency_ns(0.85));

    let server = serve(halting);
    let closed = run(&plan(&server, 1, Pace::Closed, until), &mut requests(&server, Expected::status(200)));
    let closed = closed.and_then(Counted::flawless).expect("every answer is right");
    assert!(closed.latency_ns(0.85) < half_of_halt, "{} ns", closed.latency_ns(0.85));
}

#[test]
fn answers_that_are_wrong_fail_the_measurement() {
    let server = serve(|number| match number {
        3 => ("402 Payment Required", "none left".to_owned()),
        _ => ("200 OK", "{}".to_owned()),
    });
    let mut requests = requests(&server, Expected::status(200)).limited(10);
    let counted = run(&plan(&server, 1, Pace::Closed, Until::Exhausted), &mut requests);
    let counted = counted.expect("the connection held");
    assert_eq!(
        counted.statuses.iter().map(|(status, count)| (*status, *count)).collect::<Vec<_>>(),
        [(200, 9), (402, 1)]
    );
    let wrong = counted.flawless().expect_err("one was wrong").to_string();
    assert!(wrong.contains("1 of 10 answers were wrong") && wrong.contains("402: none left"), "{wrong}");
}

#[test]
fn a_connection_that_closes_is_no_measurement() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    let closing = std::thread::spawn(move || drop(listener.accept()));
    let template = Template::http("GET", "/", address, &[], "");
    let mut requests = Requests::new(template, Arc::default(), Order::InTurn, Expected::status(200));
    let until = Until::Elapsed(Duration::from_secs(10));
    let plan = Plan { address, protocol: Protocol::Http, connections: 1, pace: Pace::Closed, until };
    assert!(run(&plan, &mut requests).is_err());
    closing.join().expect("it ended");
}

#[test]
fn long_requests_and_answers_arrive_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    let body = "x".repeat(3_000_000) + "!";
    let template = Template::http("POST", "/", address, &[], &body);
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it connects");
        let mut received = Vec::new();
        let mut part = vec![0; 65_536];
        // Slower than it is sent, so that the system does not take it at once.
        while !received.ends_with(b"xx!") {
            std::thread::sleep(Duration::from_millis(1));
            let count = stream.read(&mut part).expect("it is sent");
            received.extend_from_slice(&part[..count]);
        }
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n{}", "y".repeat(3_000_000));
        stream.write_all(text.as_bytes()).expect("it is received");
        stream
    });
    let expected = Expected { has: Some(("y".to_owned(), 3_000_000)), ..Expected::status(200) };
    let mut requests = Requests::new(template, Arc::default(), Order::InTurn, expected).limited(1);
    let plan = Plan {
        address,
        protocol: Protocol::Http,
        connections: 1,
        pace: Pace::Closed,
        until: Until::Exhausted,
    };
    let counted = run(&plan, &mut requests).and_then(Counted::flawless);
    assert_eq!(counted.expect("the answer is right").answers, 1);
    serving.join().expect("it ended");
}
