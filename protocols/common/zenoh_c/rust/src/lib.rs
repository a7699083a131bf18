//! The zenoh crate behind a C ABI.
//!
//! What: sessions, queryables, queries, publications, subscriptions and liveliness, each as a few
//! `extern "C"` functions over opaque handles. Why: the protocol plugins are C++ and zenoh is Rust; no
//! Rust type and no panic may cross. Who: the protocols that stand on zenoh, through `hector_zenoh.h`, which
//! states the contract of every function here.
use std::ffi::{c_char, c_void, CStr, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;
use zenoh::bytes::{Encoding, ZBytes};
use zenoh::handlers::CallbackDrop;
use zenoh::key_expr::KeyExpr;
use zenoh::liveliness::LivelinessToken;
use zenoh::pubsub::Subscriber;
use zenoh::qos::CongestionControl;
use zenoh::query::{Query, QueryTarget, Queryable};
use zenoh::sample::SampleKind;
use zenoh::{Config, Session, Wait};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    data: *const u8,
    size: usize,
}

impl Slice {
    fn of(bytes: &[u8]) -> Slice {
        Slice { data: bytes.as_ptr(), size: bytes.len() }
    }
    unsafe fn bytes<'a>(&self) -> &'a [u8] {
        if self.size == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(self.data, self.size)
        }
    }
}

/// A pointer of the caller's that travels into zenoh's threads; the caller keeps it valid.
#[derive(Clone, Copy)]
struct Context(*mut c_void);
unsafe impl Send for Context {}
unsafe impl Sync for Context {}

impl Context {
    fn get(&self) -> *mut c_void {
        self.0
    }
}

type QueryFn = extern "C" fn(*mut c_void, *mut Query, Slice, Slice, Slice, Slice);
#[repr(C)]
pub struct SampleView {
    alive: i32,
    key: Slice,
    payload: Slice,
    attachment: Slice,
    encoding: Slice,
    source: Slice,
}
type SampleFn = extern "C" fn(*mut c_void, *const SampleView);
type ReplyFn = extern "C" fn(*mut c_void, i32, Slice, Slice);
type AnswerFn = extern "C" fn(*mut c_void, i32, Slice, Slice);
type DoneFn = extern "C" fn(*mut c_void);

pub enum Handle {
    Queryable(Queryable<()>),
    Subscriber(Subscriber<()>),
    Token(LivelinessToken),
}

unsafe fn text<'a>(pointer: *const c_char) -> &'a str {
    CStr::from_ptr(pointer).to_str().unwrap_or("")
}

fn bytes_of(value: Option<&ZBytes>) -> std::borrow::Cow<'_, [u8]> {
    match value {
        Some(bytes) => bytes.to_bytes(),
        None => std::borrow::Cow::Borrowed(&[]),
    }
}

/// Runs `body`; a panic or an error becomes a message of the caller's to free.
fn guarded<T>(error: *mut *mut c_char, body: impl FnOnce() -> zenoh::Result<T>) -> Option<T> {
    let outcome = catch_unwind(AssertUnwindSafe(body));
    let message = match outcome {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(reason)) => reason.to_string(),
        Err(_) => "the zenoh library panicked".to_string(),
    };
    if !error.is_null() {
        let text = CString::new(message.replace('\0', " ")).unwrap_or_default();
        unsafe { *error = text.into_raw() };
    }
    None
}

fn boxed<T>(value: Option<T>) -> *mut T {
    value.map_or(std::ptr::null_mut(), |inner| Box::into_raw(Box::new(inner)))
}

#[no_mangle]
pub unsafe extern "C" fn hz_error_free(error: *mut c_char) {
    if !error.is_null() {
        drop(CString::from_raw(error));
    }
}

#[no_mangle]
pub unsafe extern "C" fn hz_open(config: *const c_char, error: *mut *mut c_char) -> *mut Session {
    let config = text(config);
    boxed(guarded(error, || {
        let config = Config::from_json5(config)?;
        zenoh::open(config).wait()
    }))
}

#[no_mangle]
pub unsafe extern "C" fn hz_close(session: *mut Session) {
    let session = Box::from_raw(session);
    let _ = guarded(std::ptr::null_mut(), || session.close().wait());
}

#[no_mangle]
pub unsafe extern "C" fn hz_undeclare(handle: *mut Handle) {
    let handle = Box::from_raw(handle);
    let _ = guarded(std::ptr::null_mut(), || match *handle {
        Handle::Queryable(inner) => inner.undeclare().wait(),
        Handle::Subscriber(inner) => inner.undeclare().wait(),
        Handle::Token(inner) => inner.undeclare().wait(),
    });
}

#[no_mangle]
pub unsafe extern "C" fn hz_queryable(
    session: *const Session,
    key: *const c_char,
    on_query: QueryFn,
    context: *mut c_void,
    error: *mut *mut c_char,
) -> *mut Handle {
    let context = Context(context);
    let (session, key) = (&*session, text(key));
    boxed(guarded(error, || {
        let queryable = session
            .declare_queryable(key)
            .callback(move |query: Query| {
                let owned = Box::into_raw(Box::new(query));
                let query = unsafe { &*owned };
                let payload = bytes_of(query.payload());
                let attachment = bytes_of(query.attachment());
                let encoding = query.encoding().map(|e| e.to_string()).unwrap_or_default();
                on_query(
                    context.get(),
                    owned,
                    Slice::of(query.key_expr().as_str().as_bytes()),
                    Slice::of(&payload),
                    Slice::of(&attachment),
                    Slice::of(encoding.as_bytes()),
                );
            })
            .wait()?;
        Ok(Handle::Queryable(queryable))
    }))
}

#[no_mangle]
pub unsafe extern "C" fn hz_query_reply(
    query: *const Query,
    payload: Slice,
    attachment: Slice,
) -> i32 {
    let query = &*query;
    let done = guarded(std::ptr::null_mut(), || {
        query
            .reply(query.key_expr().clone(), payload.bytes().to_vec())
            .attachment(attachment.bytes().to_vec())
            .wait()
    });
    done.is_some() as i32
}

#[no_mangle]
pub unsafe extern "C" fn hz_query_reply_error(query: *const Query, payload: Slice, encoding: Slice) -> i32 {
    let query = &*query;
    let encoding = String::from_utf8_lossy(encoding.bytes()).into_owned();
    let done = guarded(std::ptr::null_mut(), || {
        query.reply_err(payload.bytes().to_vec()).encoding(Encoding::from(encoding)).wait()
    });
    done.is_some() as i32
}

/// False where there was none: an empty payload is one.
#[no_mangle]
pub unsafe extern "C" fn hz_query_has_payload(query: *const Query) -> i32 {
    (*query).payload().is_some() as i32
}

#[no_mangle]
pub unsafe extern "C" fn hz_query_reply_at(query: *const Query, key: *const c_char, payload: Slice, encoding: Slice) -> i32 {
    let (query, key) = (&*query, text(key));
    let encoding = String::from_utf8_lossy(encoding.bytes()).into_owned();
    let done = guarded(std::ptr::null_mut(), || {
        query.reply(KeyExpr::try_from(key)?, payload.bytes().to_vec()).encoding(Encoding::from(encoding)).wait()
    });
    done.is_some() as i32
}

/// Ends the query: the caller's get finishes when all its queries are dropped.
#[no_mangle]
pub unsafe extern "C" fn hz_query_drop(query: *mut Query) {
    let query = Box::from_raw(query);
    let _ = catch_unwind(AssertUnwindSafe(|| drop(query)));
}

/// Runs the caller's completion when zenoh releases the reply callback, whatever the reason.
struct Completion {
    done: DoneFn,
    context: Context,
}
impl Drop for Completion {
    fn drop(&mut self) {
        (self.done)(self.context.get());
    }
}

#[no_mangle]
pub unsafe extern "C" fn hz_declare_key(session: *const Session, key: *const c_char, error: *mut *mut c_char) -> *mut KeyExpr<'static> {
    let (session, key) = (&*session, text(key));
    boxed(guarded(error, || session.declare_keyexpr(key.to_owned()).wait()))
}

#[no_mangle]
pub unsafe extern "C" fn hz_key_free(key: *mut KeyExpr<'static>) {
    drop(Box::from_raw(key));
}

#[no_mangle]
pub unsafe extern "C" fn hz_get(
    session: *const Session,
    key: *const c_char,
    declared: *const KeyExpr<'static>,
    payload: Slice,
    attachment: Slice,
    timeout_ms: u64,
    on_reply: ReplyFn,
    on_done: DoneFn,
    context: *mut c_void,
    error: *mut *mut c_char,
) -> i32 {
    let context = Context(context);
    let mut completion = Some(Completion { done: on_done, context });
    let session = &*session;
    let sent = guarded(error, || {
        let key = if declared.is_null() { KeyExpr::try_from(text(key))?.into_owned() } else { (*declared).clone() };
        let callback = CallbackDrop {
            callback: move |reply: zenoh::query::Reply| match reply.result() {
                Ok(sample) => {
                    let payload = sample.payload().to_bytes();
                    let attachment = bytes_of(sample.attachment());
                    on_reply(context.get(), 1, Slice::of(&payload), Slice::of(&attachment));
                }
                Err(failure) => {
                    let payload = failure.payload().to_bytes();
                    let encoding = failure.encoding().to_string();
                    on_reply(context.get(), 0, Slice::of(&payload), Slice::of(encoding.as_bytes()));
                }
            },
            drop: move || drop(completion.take()),
        };
        session
            .get(key)
            .payload(payload.bytes().to_vec())
            .attachment(attachment.bytes().to_vec())
            .timeout(Duration::from_millis(timeout_ms))
            .congestion_control(CongestionControl::Block)
            .with(callback)
            .wait()
    });
    sent.is_some() as i32
}

#[no_mangle]
pub unsafe extern "C" fn hz_ask(
    session: *const Session,
    key: *const c_char,
    payload: Slice,
    has_payload: i32,
    to_all: i32,
    timeout_ms: u64,
    on_answer: AnswerFn,
    on_done: DoneFn,
    context: *mut c_void,
    error: *mut *mut c_char,
) -> i32 {
    let context = Context(context);
    let mut completion = Some(Completion { done: on_done, context });
    let session = &*session;
    let sent = guarded(error, || {
        let key = KeyExpr::try_from(text(key))?.into_owned();
        let callback = CallbackDrop {
            callback: move |reply: zenoh::query::Reply| match reply.result() {
                Ok(sample) => {
                    let payload = sample.payload().to_bytes();
                    let key = Slice::of(sample.key_expr().as_str().as_bytes());
                    on_answer(context.get(), 1, key, Slice::of(&payload));
                }
                Err(failure) => {
                    let payload = failure.payload().to_bytes();
                    on_answer(context.get(), 0, Slice::of(&[]), Slice::of(&payload));
                }
            },
            drop: move || drop(completion.take()),
        };
        let target = if to_all != 0 { QueryTarget::All } else { QueryTarget::BestMatching };
        let query = session
            .get(key)
            .target(target)
            .timeout(Duration::from_millis(timeout_ms))
            .congestion_control(CongestionControl::Block);
        let query = if has_payload != 0 { query.payload(payload.bytes().to_vec()) } else { query };
        query.with(callback).wait()
    });
    sent.is_some() as i32
}

/// The session's identity, as others see it.
#[no_mangle]
pub unsafe extern "C" fn hz_zid(session: *const Session) -> *mut c_char {
    CString::new((*session).zid().to_string()).unwrap_or_default().into_raw()
}

/// The sessions that this one is connected to, separated by spaces.
#[no_mangle]
pub unsafe extern "C" fn hz_neighbours(session: *const Session) -> *mut c_char {
    let session = &*session;
    let found = guarded(std::ptr::null_mut(), || {
        let info = session.info();
        let all: Vec<String> =
            info.routers_zid().wait().chain(info.peers_zid().wait()).map(|zid| zid.to_string()).collect();
        Ok(all.join(" "))
    });
    CString::new(found.unwrap_or_default()).unwrap_or_default().into_raw()
}

#[no_mangle]
pub unsafe extern "C" fn hz_put(
    session: *const Session,
    key: *const c_char,
    payload: Slice,
    attachment: Slice,
    error: *mut *mut c_char,
) -> i32 {
    let (session, key) = (&*session, text(key));
    let sent = guarded(error, || {
        session
            .put(key, payload.bytes().to_vec())
            .attachment(attachment.bytes().to_vec())
            .congestion_control(CongestionControl::Block)
            .wait()
    });
    sent.is_some() as i32
}

/// The session that published it, or that stamped it on its way; empty where neither is said.
fn source_of(sample: &zenoh::sample::Sample) -> String {
    match (sample.source_info(), sample.timestamp()) {
        (Some(source), _) => source.source_id().zid().to_string(),
        (None, Some(stamp)) => stamp.get_id().to_string(),
        (None, None) => String::new(),
    }
}

fn sample_callback(on_sample: SampleFn, context: Context) -> impl Fn(zenoh::sample::Sample) + Send + Sync {
    move |sample| {
        let payload = sample.payload().to_bytes();
        let attachment = bytes_of(sample.attachment());
        let encoding = sample.encoding().to_string();
        let source = source_of(&sample);
        let view = SampleView {
            alive: (sample.kind() == SampleKind::Put) as i32,
            key: Slice::of(sample.key_expr().as_str().as_bytes()),
            payload: Slice::of(&payload),
            attachment: Slice::of(&attachment),
            encoding: Slice::of(encoding.as_bytes()),
            source: Slice::of(source.as_bytes()),
        };
        on_sample(context.get(), &view);
    }
}

#[no_mangle]
pub unsafe extern "C" fn hz_subscriber(
    session: *const Session,
    key: *const c_char,
    on_sample: SampleFn,
    context: *mut c_void,
    error: *mut *mut c_char,
) -> *mut Handle {
    let callback = sample_callback(on_sample, Context(context));
    let (session, key) = (&*session, text(key));
    boxed(guarded(error, || {
        Ok(Handle::Subscriber(session.declare_subscriber(key).callback(callback).wait()?))
    }))
}

#[no_mangle]
pub unsafe extern "C" fn hz_liveliness_token(
    session: *const Session,
    key: *const c_char,
    error: *mut *mut c_char,
) -> *mut Handle {
    let (session, key) = (&*session, text(key));
    boxed(guarded(error, || Ok(Handle::Token(session.liveliness().declare_token(key).wait()?))))
}

#[no_mangle]
pub unsafe extern "C" fn hz_liveliness_subscriber(
    session: *const Session,
    key: *const c_char,
    on_sample: SampleFn,
    context: *mut c_void,
    error: *mut *mut c_char,
) -> *mut Handle {
    let callback = sample_callback(on_sample, Context(context));
    let (session, key) = (&*session, text(key));
    boxed(guarded(error, || {
        let subscriber = session.liveliness().declare_subscriber(key).history(true).callback(callback).wait()?;
        Ok(Handle::Subscriber(subscriber))
    }))
}
