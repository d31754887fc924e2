//! temp
use crate::server::{self, NOW_S, record};
#[tokio::test]
async fn depth() {
    let n: usize = std::env::var("N").unwrap().parse().unwrap();
    let k = std::env::var("K").unwrap();
    let server = server::start_with_table().await;
    server.put((0..10).map(|n| record("SE", NOW_S - n, 1.0)).collect()).await;
    let sql = match k.as_str() {
      "plus" => format!("SELECT 1{}", "+1".repeat(n)),
      "plusf" => format!("SELECT measure_value::double{} FROM \"ons\".\"load_curve\"", "+1.0".repeat(n)),
      "and" => format!("SELECT count(*) FROM \"ons\".\"load_curve\" WHERE true{}", " AND region = 'S'".repeat(n)),
      "or" => format!("SELECT count(*) FROM \"ons\".\"load_curve\" WHERE false{}", " OR measure_value::double = 2.0".repeat(n)),
      "union" => format!("SELECT count(*) FROM (SELECT 1{})", " UNION ALL SELECT 1".repeat(n)),
      "abs" => format!("SELECT {}1{}", "abs(".repeat(n), ")".repeat(n)),
      "in" => format!("SELECT count(*) FROM \"ons\".\"load_curve\" WHERE region IN ('S'{})", ", 'x'".repeat(n)),
      _ => panic!(),
    };
    println!("{:?}", server.query.query().query_string(sql).send().await.map(|_| "ok").map_err(|e| e.into_service_error().meta().message().unwrap().to_owned()));
}
