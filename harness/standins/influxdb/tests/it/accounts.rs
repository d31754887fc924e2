//! Who may do what. The expectations were read off a server of release 2.7.12.

use http::Request;
use serde_json::{Value, json};

use super::{Answer, Client};

/// Organisation `o` with its buckets `b` and `c`, and what each is called by the server.
struct World {
    client: Client,
    org: String,
    bucket: String,
    other: String,
}

impl World {
    async fn new() -> Self {
        let client = Client::ready().await;
        let org = client.get("/api/v2/orgs").await.json()["orgs"][0]["id"].clone();
        let org = org.as_str().unwrap().to_owned();
        let found = client.get("/api/v2/buckets?org=o&name=b").await.json();
        let bucket = found["buckets"][0]["id"].as_str().unwrap().to_owned();
        let body = json!({ "orgID": org, "name": "c" });
        let made = client.post("/api/v2/buckets", body.to_string()).await.json();
        let other = made["id"].as_str().unwrap().to_owned();
        Self { client, org, bucket, other }
    }

    async fn authorize(&self, permissions: Value) -> Answer {
        let body = json!({ "orgID": self.org, "permissions": permissions });
        self.client.post("/api/v2/authorizations", body.to_string()).await
    }

    /// A client whose token may do this with bucket `b`.
    async fn scoped(&self, actions: &[&str]) -> Client {
        let resource = json!({ "type": "buckets", "id": self.bucket, "orgID": self.org });
        let permission = |action: &&str| json!({ "action": action, "resource": resource });
        let made = self.authorize(actions.iter().map(permission).collect()).await;
        assert_eq!(made.status, 201, "{}", made.text);
        self.with_token(&made.json())
    }

    fn with_token(&self, made: &Value) -> Client {
        let token = format!("Token {}", made["token"].as_str().unwrap());
        Client { token: Some(token.leak()), ..self.client.clone() }
    }
}

fn refused(answer: &Answer, status: u16, message: &str) {
    let (found, _, text) = answer.refusal();
    assert_eq!((found, text.as_str()), (status, message));
}

#[tokio::test]
async fn a_token_for_writing_writes_to_its_bucket_only() {
    let world = World::new().await;
    let writer = world.scoped(&["write"]).await;
    assert_eq!(writer.write("m v=1 1").await.status, 204);
    let other = writer.post("/api/v2/write?org=o&bucket=c", "m v=1 1").await;
    refused(&other, 403, "insufficient permissions for write");
    let absent = writer.post("/api/v2/write?org=o&bucket=nope", "m v=1 1").await;
    refused(&absent, 404, "bucket \"nope\" not found");
}

#[tokio::test]
async fn a_token_for_writing_finds_no_bucket_to_query_by_name() {
    let world = World::new().await;
    let answer =
        world.scoped(&["write"]).await.query("from(bucket: \"b\") |> range(start: 0)").await;
    refused(&answer, 404, "failed to initialize execute state: could not find bucket \"b\"");
}

#[tokio::test]
async fn whoever_knows_the_identifier_of_a_bucket_may_query_it() {
    // Strange, and what the server does.
    let world = World::new().await;
    let script = format!("from(bucketID: \"{}\") |> range(start: 0)", world.bucket);
    assert_eq!(world.scoped(&["write"]).await.query(&script).await.status, 200);
}

#[tokio::test]
async fn a_token_for_reading_reads_its_bucket_and_writes_nothing() {
    let world = World::new().await;
    let reader = world.scoped(&["read"]).await;
    refused(&reader.write("m v=1 1").await, 403, "insufficient permissions for write");
    refused(&reader.write("m v=").await, 403, "insufficient permissions for write");
    assert_eq!(reader.query("from(bucket: \"b\") |> range(start: 0)").await.status, 200);
    let other = reader.query("from(bucket: \"c\") |> range(start: 0)").await;
    refused(&other, 404, "failed to initialize execute state: could not find bucket \"c\"");
}

#[tokio::test]
async fn a_token_sees_the_buckets_that_it_may_read() {
    let world = World::new().await;
    let reader = world.scoped(&["read"]).await;
    let seen = reader.get("/api/v2/buckets").await.json();
    let names: Vec<&str> =
        seen["buckets"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["b"]);
    let other = reader.get(&format!("/api/v2/buckets/{}", world.other)).await;
    let World { org, other: bucket, .. } = &world;
    refused(&other, 401, &format!("read:orgs/{org}/buckets/{bucket} is unauthorized"));
}

#[tokio::test]
async fn to_delete_takes_leave_to_write() {
    let world = World::new().await;
    let body = json!({ "start": "1970-01-01T00:00:00Z", "stop": "2023-01-01T00:00:00Z" });
    let path = "/api/v2/delete?org=o&bucket=b";
    let refusal = world.scoped(&["read"]).await.post(path, body.to_string()).await;
    refused(&refusal, 403, "insufficient permissions to delete");
    assert_eq!(world.scoped(&["write"]).await.post(path, body.to_string()).await.status, 204);
}

#[tokio::test]
async fn a_scoped_token_changes_neither_buckets_nor_organisations_nor_tokens() {
    let world = World::new().await;
    let org = &world.org;
    let client = world.scoped(&["read", "write"]).await;
    let create = json!({ "orgID": org, "name": "x" }).to_string();
    let answer = client.post("/api/v2/buckets", create.clone()).await;
    refused(&answer, 401, &format!("write:orgs/{org}/buckets is unauthorized"));
    let answer = client.post("/api/v2/orgs", create).await;
    refused(&answer, 401, "write:orgs is unauthorized");
    let answer = client.get(&format!("/api/v2/orgs/{org}")).await;
    refused(&answer, 401, &format!("read:orgs/{org} is unauthorized"));
    assert_eq!(client.get("/api/v2/orgs").await.json()["orgs"], json!([]));
    assert_eq!(client.get("/api/v2/authorizations").await.json()["authorizations"], json!([]));
    assert_eq!(client.get("/api/v2/users").await.json()["users"], json!([]));
}

#[tokio::test]
async fn nobody_gives_away_more_than_what_they_have() {
    let world = World::new().await;
    let kinds = ["authorizations", "users"];
    let own = kinds.map(|kind| json!({ "action": "write", "resource": { "type": kind } }));
    let minter = world.with_token(&world.authorize(json!(own)).await.json());
    let resource = json!({ "type": "buckets", "id": world.bucket });
    let body = json!({
        "orgID": world.org, "permissions": [{ "action": "read", "resource": resource }],
    });
    let answer = minter.post("/api/v2/authorizations", body.to_string()).await;
    let needed = format!("read:buckets/{}", world.bucket);
    let message = format!("permission {needed} is not allowed: {needed} is unauthorized");
    refused(&answer, 403, &message);
}

#[tokio::test]
async fn an_inactive_token_lets_nobody_write_and_sees_nothing() {
    let world = World::new().await;
    let body = json!([{ "action": "write", "resource": { "type": "buckets" } }]);
    let made = world.authorize(body).await.json();
    let path = format!("/api/v2/authorizations/{}", made["id"].as_str().unwrap());
    let changed = world.client.send(Request::patch(&path), "{\"status\":\"inactive\"}").await;
    assert_eq!(changed.json()["status"], "inactive");
    let client = world.with_token(&made);
    let answer = client.write("m v=1 1").await;
    refused(&answer, 403, "insufficient permissions for write: token is inactive");
    refused(&client.post("/write?db=b", "m v=1 1").await, 401, "Unauthorized");
    assert_eq!(client.get("/api/v2/buckets").await.json()["buckets"], json!([]));
}

#[tokio::test]
async fn a_removed_token_is_unknown() {
    let world = World::new().await;
    let body = json!([{ "action": "write", "resource": { "type": "buckets" } }]);
    let made = world.authorize(body).await.json();
    let path = format!("/api/v2/authorizations/{}", made["id"].as_str().unwrap());
    assert_eq!(world.client.send(Request::delete(&path), "").await.status, 204);
    refused(&world.with_token(&made).write("m v=1 1").await, 401, "unauthorized access");
    refused(&world.client.get(&path).await, 404, "authorization not found");
}

#[tokio::test]
async fn tokens_that_make_no_sense_are_refused_in_the_words_of_the_server() {
    let world = World::new().await;
    let permission =
        |action: &str, kind: &str| json!([{ "action": action, "resource": { "type": kind } }]);
    for (permissions, message) in [
        (json!([]), "authorization must include permissions"),
        (
            permission("read", "bucket"),
            "invalid resource type for permission: unknown resource type for permission",
        ),
        (
            permission("reed", "buckets"),
            "invalid action type for permission: unknown action for permission",
        ),
    ] {
        refused(&world.authorize(permissions).await, 400, message);
    }
}

#[tokio::test]
async fn the_tokens_of_a_user_who_is_gone_let_nobody_in() {
    let world = World::new().await;
    let made = world.client.post("/api/v2/users", "{\"name\":\"x\"}").await.json();
    let user = made["id"].as_str().unwrap();
    let body = json!({
        "orgID": world.org, "userID": user,
        "permissions": [{ "action": "write", "resource": { "type": "buckets" } }],
    });
    let token = world.client.post("/api/v2/authorizations", body.to_string()).await.json();
    assert_eq!(world.with_token(&token).write("m v=1 1").await.status, 204);
    let path = format!("/api/v2/users/{user}");
    assert_eq!(world.client.send(Request::delete(&path), "").await.status, 204);
    refused(&world.with_token(&token).write("m v=1 1").await, 403, "User is inactive");
}

#[tokio::test]
async fn me_is_whose_token_it_is() {
    let client = Client::ready().await;
    assert_eq!(client.get("/api/v2/me").await.json()["name"], "u");
}

#[tokio::test]
async fn an_organisation_goes_with_its_buckets() {
    let client = Client::ready().await;
    let made = client.post("/api/v2/orgs", "{\"name\":\"x\"}").await;
    assert_eq!(made.status, 201);
    let org = made.json()["id"].as_str().unwrap().to_owned();
    let body = json!({ "orgID": org, "name": "y" });
    assert_eq!(client.post("/api/v2/buckets", body.to_string()).await.status, 201);
    assert_eq!(client.post("/api/v2/write?org=x&bucket=y", "m v=1 1").await.status, 204);
    let path = format!("/api/v2/orgs/{org}");
    let renamed = client.send(Request::patch(&path), "{\"name\":\"z\"}").await.json();
    assert_eq!(renamed["name"], "z");
    assert_eq!(client.send(Request::delete(&path), "").await.status, 204);
    refused(&client.get(&path).await, 404, "organization not found");
    let gone = client.post("/api/v2/write?org=o&bucket=y", "m v=1 1").await;
    refused(&gone, 404, "bucket \"y\" not found");
}

#[tokio::test]
async fn release_1_takes_a_token_in_four_places() {
    let client = Client { token: None, ..Client::ready().await };
    for request in [
        Request::post("/write?db=b").header("authorization", "Token secret"),
        Request::post("/write?db=b").header("authorization", "Token u:secret"),
        Request::post("/write?db=b").header("authorization", "Basic dTpzZWNyZXQ="),
        Request::post("/write?db=b&u=u&p=secret"),
    ] {
        assert_eq!(client.send(request, "m v=1 1").await.status, 204);
    }
    refused(&client.post("/write?db=b", "m v=1 1").await, 401, "unauthorized access");
    refused(&client.post("/write?db=b&u=u&p=no", "m v=1 1").await, 401, "Unauthorized");
}

#[tokio::test]
async fn a_database_of_release_1_is_the_bucket_of_its_name() {
    let client = Client::ready().await;
    for (path, status) in [
        ("/write?db=b", 204),
        ("/write?db=b&rp=autogen", 204),
        ("/write?db=b&rp=other", 404),
        ("/write?db=nope", 404),
        ("/write", 400),
    ] {
        assert_eq!(client.post(path, "m v=1 1").await.status, status, "{path}");
    }
}

#[tokio::test]
async fn tokens_are_in_no_debug_output() {
    let config = cutover_standin_influxdb::Config::new(cutover_model::Clock::fixed(0));
    let standin = cutover_standin_influxdb::InfluxdbStandin::new(config);
    let client = Client { router: standin.router(), token: None };
    client.set_up().await;
    assert!(!format!("{standin:?}").contains("\"secret\""));
}
