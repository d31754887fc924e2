//! temp
use std::time::Instant;
use crate::server::{self, NOW_S, record};
#[tokio::test]
async fn perf() {
    let server = server::start_with_table().await;
    let small = server::start_with_table().await;
    small.put((0..10).map(|n| record("SE", NOW_S - n, 1.0)).collect()).await;
    let t = Instant::now();
    let mut all = Vec::new();
    for hour in 0..8760 { for r in ["N","NE","S","SE"] { all.push(record(r, NOW_S - hour*3600, hour as f64 + 0.3)); } }
    server.put(all).await;
    println!("write 35040 in {:?}", t.elapsed());
    let qs = [
      "SELECT bin(time, 1h) AS hour, avg(measure_value::double) FROM \"ons\".\"load_curve\" WHERE region = 'SE' AND time BETWEEN '2023-12-01' AND '2023-12-31' GROUP BY bin(time, 1h) ORDER BY hour",
      "SELECT max(measure_value::double) FROM \"ons\".\"load_curve\" WHERE region = 'SE'",
      "SELECT region, sum(measure_value::double) FROM \"ons\".\"load_curve\" GROUP BY region",
      "SELECT region, time, measure_value::double AS value FROM \"ons\".\"load_curve\" ORDER BY region, time",
      "SELECT 1",
    ];
    for (name, s) in [("big", &server), ("small", &small)] {
      for q in qs {
        s.rows(q).await;
        let t = Instant::now();
        for _ in 0..20 { s.rows(q).await; }
        println!("{name} {:?} {}", t.elapsed()/20, &q[..30.min(q.len())]);
      }
      let t = Instant::now();
      for n in 0..200 { s.put(vec![record("X", NOW_S - n, 1.0)]).await; s.rows(qs[1]).await; }
      println!("{name} write+query {:?}", t.elapsed()/200);
      let t = Instant::now();
      for n in 0..200 { s.put(vec![record("X", NOW_S - 10000 - n, 1.0)]).await; }
      println!("{name} write {:?}", t.elapsed()/200);
      let t = Instant::now();
      for _ in 0..200 { s.query.describe_endpoints().send().await.unwrap(); }
      println!("{name} describe {:?}", t.elapsed()/200);
    }
}
