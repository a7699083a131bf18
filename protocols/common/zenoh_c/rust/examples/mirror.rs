//! What: the zenoh crate alone: a queryable that echoes, and a client that asks it. Why: what Hector adds to the
//! protocol it carries. Who: bench, as `mirror serve` and `mirror call LOCATOR COUNT`.
use std::io::Write;
use std::time::Instant;
use zenoh::{Config, Session, Wait};

const WARM: usize = 300;
const KEY: &str = "bench/mirror";

fn open(text: &str) -> Session {
    zenoh::open(Config::from_json5(text).expect("configuration")).wait().expect("session")
}

fn serve() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port").port();
    let locator = format!("tcp/127.0.0.1:{port}");
    let session = open(&format!(
        "{{mode: \"peer\", listen: {{endpoints: [\"{locator}\"]}}, scouting: {{multicast: {{enabled: false}}, gossip: {{enabled: false}}}}}}"
    ));
    session
        .declare_queryable(KEY)
        .callback(|query| {
            let payload = query.payload().cloned().unwrap_or_default();
            query.reply(KEY, payload).wait().expect("a reply");
        })
        .background()
        .wait()
        .expect("a queryable");
    println!("{locator}");
    std::io::stdout().flush().expect("output");
    std::thread::park();
}

fn ask(session: &Session) -> bool {
    let replies = session.get(KEY).payload(vec![0u8; 64]).wait().expect("a query");
    replies.recv().map(|reply| reply.result().is_ok()).unwrap_or(false)
}

fn call(locator: &str, count: usize) {
    let session = open(&format!(
        "{{mode: \"client\", connect: {{endpoints: [\"{locator}\"]}}, scouting: {{multicast: {{enabled: false}}}}}}"
    ));
    while !ask(&session) {} // until the queryable is known here
    let mut times = Vec::with_capacity(count);
    for i in 0..count + WARM {
        let begin = Instant::now();
        assert!(ask(&session), "no reply");
        if i >= WARM {
            times.push(begin.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    times.sort_by(f64::total_cmp);
    println!("{:.3}", times[times.len() / 2]);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).map(String::as_str) == Some("serve") {
        serve();
    } else {
        call(&arguments[2], arguments[3].parse().expect("a count"));
    }
}
