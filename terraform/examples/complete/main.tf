# A staging stack for the weeks of a migration: a standby, faster storage, NAT to read the real source, a
# nightly run in four shards, and `cutover` may write.

provider "aws" {
  region = var.region
}

module "stack" {
  source = "../.."

  project     = "ons"
  environment = "staging"
  tags        = { owner = "energy-data" }

  allow_writes           = true
  nat_mode               = "per-zone"
  client_security_groups = var.client_security_groups

  influxdb_instance_type         = "db.influx.2xlarge"
  influxdb_storage_type          = "InfluxIOIncludedT2"
  influxdb_allocated_storage_gib = 400
  influxdb_multi_az              = true
  influxdb_maintenance_window    = "Sun:03:00-Sun:07:00"

  expect_writes       = true
  notification_emails = var.notification_emails
  monthly_budget_usd  = 6000

  runner_shards        = 4
  runner_vcpus         = 4
  runner_memory_mib    = 8192
  runner_schedule      = "cron(30 2 * * ? *)"
  source_database_arns = var.source_database_arns
}
