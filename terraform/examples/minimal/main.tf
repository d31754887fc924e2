# The least that `cutover doctor --target deployed` finds complete: the smallest instance, no standby, no
# NAT, no runner.

provider "aws" {
  region = var.region
}

module "stack" {
  source = "../.."

  environment                    = "trial"
  influxdb_instance_type         = "db.influx.medium"
  influxdb_allocated_storage_gib = 20
  influxdb_log_delivery          = false
  runner_enabled                 = false
  monthly_budget_usd             = 200
}
