//! Three tokens are good; everything else is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt;
use mesh::testing::{customer, staff};
use mesh::tokens::{AUDIENCE, Claims, ISSUER, SigningKey, SigningPair, TYPE, TokenError, Verifier};
use mesh::{Role, User};
use serde_json::{Value, json};
use tonic::Status;

fn pair() -> SigningPair {
    SigningPair::from_seed("k1", &[1; 32]).unwrap()
}

fn verifier(keys: Vec<SigningKey>) -> (Verifier, Arc<AtomicUsize>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let counted = fetches.clone();
    let verifier = Verifier::new(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let keys = keys.clone();
        async move { Ok::<_, Status>(keys) }.boxed()
    }));
    (verifier, fetches)
}

fn now() -> u64 {
    u64::try_from(kit::Clock::system().now().timestamp()).unwrap()
}

fn good() -> Claims {
    Claims::new(&customer(), now(), Duration::from_secs(300))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Signs whatever it is given with the good key, as identity never would.
fn signed(header: &Value, claims: &str) -> String {
    let message = format!("{}.{}", encoded(header), URL_SAFE_NO_PAD.encode(claims));
    let key =
        [vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20], vec![1; 32]].concat();
    let key = jsonwebtoken::EncodingKey::from_ed_der(&key);
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": TYPE, "kid": "k1"})
}

fn claims() -> Value {
    serde_json::to_value(good()).unwrap()
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

fn without(mut object: Value, key: &str) -> Value {
    object.as_object_mut().unwrap().remove(key);
    object
}

#[tokio::test]
async fn a_good_token_says_who_it_is() {
    let (verifier, fetches) = verifier(vec![pair().public().clone()]);
    let admin = User { role: Role::Admin, ..customer() };

    for user in [customer(), staff(&["orders.read", "orders.write"]), admin] {
        let token = pair().sign(&Claims::new(&user, now(), Duration::from_secs(300))).unwrap();
        assert_eq!(*verifier.verify(&token).await.unwrap(), user);
        assert_eq!(*verifier.known(&token).unwrap(), user);
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_hand_made_good_token_is_good() {
    let (verifier, _) = verifier(vec![pair().public().clone()]);

    // Or the refusals below would prove nothing.
    assert!(verifier.verify(&signed(&header(), &claims().to_string())).await.is_ok());
}

#[tokio::test]
async fn heads_that_are_not_ours_are_refused() {
    let (verifier, _) = verifier(vec![pair().public().clone()]);
    let key = URL_SAFE_NO_PAD.encode(&pair().public().public_key);
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": key});
    let mut heads = vec![
        without(header(), "typ"),
        without(header(), "kid"),
        without(header(), "alg"),
        with(header(), "jwk", jwk),
        with(header(), "jku", json!("https://attacker.example/keys")),
        with(header(), "x5u", json!("https://attacker.example/cert")),
        with(header(), "x5c", json!(["MIIB"])),
        with(header(), "crit", json!(["exp"])),
        with(header(), "b64", json!(false)),
        with(header(), "cty", json!("JWT")),
        with(header(), "zip", json!("DEF")),
        with(header(), "nonce", json!("1")),
        with(header(), "anything", json!("else")),
    ];
    for algorithm in
        ["none", "None", "nOnE", "", "HS256", "HS512", "RS256", "ES256", "PS512", "Ed448", "eddsa"]
    {
        heads.push(with(header(), "alg", json!(algorithm)));
    }
    for kind in ["JWT", "id+jwt", "at+JWT", "application/at+jwt", "", " at+jwt"] {
        heads.push(with(header(), "typ", json!(kind)));
    }
    for key_id in
        ["", "k2", "K1", "../../etc/passwd", "k1' OR '1'='1", "https://attacker.example", "k1\0", "ключ"]
    {
        heads.push(with(header(), "kid", json!(key_id)));
    }
    heads.push(with(header(), "kid", json!("k".repeat(10_000))));
    heads.extend([
        json!([]),
        json!("EdDSA"),
        json!(null),
        with(header(), "kid", json!(1)),
        with(header(), "kid", json!(null)),
    ]);

    for head in heads {
        let refused = verifier.verify(&signed(&head, &claims().to_string())).await;
        assert!(refused.is_err(), "{head}");
    }
}

#[tokio::test]
async fn claims_that_are_not_ours_are_refused() {
    let (verifier, _) = verifier(vec![pair().public().clone()]);
    let mut bodies: Vec<Value> = ["iss", "aud", "sub", "sid", "role", "iat", "nbf", "exp"]
        .iter()
        .map(|key| without(claims(), key))
        .collect();
    let wrong = |key: &str, value: Value| with(claims(), key, value);
    bodies.extend([
        wrong("aud", json!("other")),
        wrong("aud", json!([AUDIENCE])),
        wrong("aud", json!([AUDIENCE, "other"])),
        wrong("aud", json!(null)),
        wrong("iss", json!("other")),
        wrong("iss", json!([ISSUER])),
        wrong("sub", json!("42")),
        wrong("sub", json!("")),
        wrong("sub", json!("../admin")),
        wrong("sid", json!(7)),
        wrong("role", json!("root")),
        wrong("role", json!("Admin")),
        wrong("role", json!(["admin"])),
        wrong("permissions", json!("orders.write")),
        wrong("permissions", json!([1])),
        wrong("exp", json!(now() - 6)),
        wrong("exp", json!(0)),
        wrong("exp", json!(-1)),
        wrong("exp", json!((now() + 300).to_string())),
        wrong("exp", json!(now() as f64 + 300.5)),
        wrong("exp", json!(now() as f64 + 300.0)),
        wrong("exp", json!(true)),
        wrong("exp", json!(u64::MAX)),
        wrong("exp", json!(now() + 601)),
        wrong("nbf", json!(now() + 7)),
        wrong("nbf", json!(now() - 600)),
        wrong("nbf", json!("0")),
        wrong("nbf", json!(now() as f64)),
        wrong("iat", json!("yesterday")),
        json!([]),
        json!({}),
        json!("claims"),
        json!({"claims": claims()}),
    ]);

    for body in bodies {
        let refused = verifier.verify(&signed(&header(), &body.to_string())).await;
        assert!(refused.is_err(), "{body}");
    }
}

#[tokio::test]
async fn claims_that_are_said_twice_or_not_as_json_are_refused() {
    let (verifier, _) = verifier(vec![pair().public().clone()]);
    let sound = claims().to_string();
    let inner = sound.trim_start_matches('{').trim_end_matches('}');
    let bodies = [
        format!("{{\"role\":\"admin\",{inner}}}"),
        format!("{{{inner},\"sub\":\"{}\"}}", uuid::Uuid::nil()),
        format!("{{{inner},\"exp\":{}}}", now() + 500),
        sound.replace("\"exp\":", "\"exp\":1e400,\"e\":"),
        sound.replace("\"exp\":", "\"exp\":1e3,\"e\":"),
        format!("{sound}{sound}"),
        format!("{sound} trailing"),
        sound.trim_end_matches('}').to_owned(),
        "[".repeat(1_000),
        String::new(),
    ];

    for body in bodies {
        assert!(verifier.verify(&signed(&header(), &body)).await.is_err(), "{body}");
    }
}

#[tokio::test]
async fn signatures_that_are_not_ours_are_refused() {
    let (verifier, _) = verifier(vec![pair().public().clone()]);
    let token = pair().sign(&good()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let stranger = SigningPair::from_seed("k1", &[2; 32]).unwrap().sign(&good()).unwrap();
    let other = pair().sign(&good()).unwrap();
    let mac = {
        // The public key as the secret of an HMAC.
        let head =
            jsonwebtoken::Header { typ: Some(TYPE.into()), kid: Some("k1".into()), ..Default::default() };
        let key = jsonwebtoken::EncodingKey::from_secret(&pair().public().public_key);
        jsonwebtoken::encode(&head, &good(), &key).unwrap()
    };
    let mut tokens = vec![
        message.to_owned(),
        format!("{message}."),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0xff; 64])),
        format!("{message}.{}", &signature[1..]),
        format!("{message}.{signature}A"),
        format!("{message}.{signature}="),
        format!("{message}. {signature}"),
        format!("{message}.{signature}\n"),
        format!("{message}.{}", other.rsplit_once('.').unwrap().1),
        format!("{token}.{signature}"),
        format!(".{token}"),
        stranger,
        mac,
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a".repeat(1_000_000),
        format!("{message}.{}", "A".repeat(1_000_000)),
    ];
    for position in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(bytes).unwrap();
        if flipped != token {
            tokens.push(flipped);
        }
    }

    for token in tokens {
        let started = Instant::now();
        assert!(verifier.verify(&token).await.is_err(), "{token:.200}");
        assert!(verifier.known(&token).is_none());
        assert!(started.elapsed() < Duration::from_millis(500));
    }
}

#[tokio::test]
async fn a_token_is_not_remembered_beyond_its_life() {
    let (verifier, _) = verifier(vec![pair().public().clone()]);
    let almost = Claims { nbf: now() - 10, exp: now() - 4, ..good() };
    let token = pair().sign(&almost).unwrap();

    // Within the leeway it is still good, and a moment later neither remembered nor accepted.
    verifier.verify(&token).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;

    assert!(verifier.known(&token).is_none());
    assert!(matches!(verifier.verify(&token).await, Err(TokenError::Expired)));
}

#[tokio::test]
async fn a_flood_of_unknown_keys_fetches_once() {
    let (verifier, fetches) = verifier(vec![pair().public().clone()]);
    let unknown = SigningPair::from_seed("k9", &[9; 32]).unwrap();

    let tokens: Vec<_> = (0..200).map(|_| unknown.sign(&good()).unwrap()).collect();
    let answers = futures::future::join_all(tokens.iter().map(|token| verifier.verify(token))).await;

    assert!(answers.iter().all(|answer| matches!(answer, Err(TokenError::Refused))));
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    assert!(verifier.verify(&pair().sign(&good()).unwrap()).await.is_ok());
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_new_key_is_learnt_when_a_token_names_it() {
    let keys = Arc::new(std::sync::Mutex::new(vec![pair().public().clone()]));
    let given = keys.clone();
    let failing = Arc::new(AtomicUsize::new(1));
    let fails = failing.clone();
    let verifier = Verifier::new(Arc::new(move || {
        let keys = given.lock().unwrap().clone();
        let failed = fails.load(Ordering::SeqCst) > 0;
        fails.store(0, Ordering::SeqCst);
        async move { if failed { Err(Status::unavailable("identity is away")) } else { Ok(keys) } }.boxed()
    }));
    let token = pair().sign(&good()).unwrap();

    // A fetch that failed is repeated sooner than one that succeeded.
    assert!(matches!(verifier.verify(&token).await, Err(TokenError::KeysUnavailable(_))));
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    assert!(verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_verifier_without_a_source_of_keys_says_so() {
    let verifier = Verifier::unbound();
    let token = pair().sign(&good()).unwrap();

    let before = verifier.verify(&token).await;
    verifier.bind(Arc::new(|| async { Ok(vec![pair().public().clone()]) }.boxed()));
    let after = verifier.verify(&token).await;

    assert!(matches!(before, Err(TokenError::KeysUnavailable(_))));
    assert!(after.is_ok());
}

#[tokio::test]
async fn keys_that_are_no_keys_are_left_out() {
    let short = SigningKey { key_id: "k1".to_owned(), public_key: vec![1; 31] };
    let (verifier, _) = verifier(vec![short]);

    let refused = verifier.verify(&pair().sign(&good()).unwrap()).await;

    assert!(matches!(refused, Err(TokenError::Refused)));
}
