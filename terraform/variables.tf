# What a module validates is not validated again here: its message comes at plan all the same.

variable "project" {
  description = "First part of every name."
  type        = string
  default     = "cutover"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.project))
    error_message = "`project` must be 2 to 12 lowercase letters and digits, a letter first."
  }
}

variable "environment" {
  description = "Second part of every name, and the name of the AppConfig environment."
  type        = string
  default     = "staging"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,10}$", var.environment))
    error_message = "`environment` must be 2 to 11 lowercase letters and digits, a letter first."
  }
}

variable "tags" {
  description = "Further tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:") && !startswith(key, "cutover:")])
    error_message = "`tags` must not have keys that begin with aws: or cutover:, which are taken."
  }
}

variable "allow_writes" {
  description = "Whether `cutover` may write to, delete from and shift traffic to this stack. It becomes the instance's tag cutover:allow-writes and the runner's rights; `cutover` still wants --allow-writes."
  type        = bool
  default     = false
  nullable    = false
}

# --- network

variable "vpc_cidr" {
  description = "Addresses of the VPC, from /16 to /24."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false
}

variable "availability_zones" {
  description = "The two zones; null takes the first two of the region."
  type        = list(string)
  default     = null
}

variable "public_subnet_cidrs" {
  description = "Addresses of the public subnets, one per zone."
  type        = list(string)
  default     = ["10.0.1.0/24", "10.0.2.0/24"]
  nullable    = false
}

variable "private_subnet_cidrs" {
  description = "Addresses of the private subnets, one per zone."
  type        = list(string)
  default     = ["10.0.10.0/24", "10.0.20.0/24"]
  nullable    = false
}

variable "nat_mode" {
  description = "How private subnets reach the internet: none, single or per-zone. Reading a real LiveAnalytics from the runner needs it."
  type        = string
  default     = "none"
  nullable    = false
}

variable "client_security_groups" {
  description = "Further clients of InfluxDB: a name and the id of a security group."
  type        = map(string)
  default     = {}
  nullable    = false
}

# --- InfluxDB

variable "influxdb_instance_type" {
  description = "Size of the instance: db.influx. and one of medium, large, xlarge, 2xlarge, 4xlarge, 8xlarge, 12xlarge, 16xlarge, 24xlarge."
  type        = string
  default     = "db.influx.large"
  nullable    = false
}

variable "influxdb_storage_type" {
  description = "InfluxIOIncludedT1 (3,000 IOPS), T2 (12,000) or T3 (16,000)."
  type        = string
  default     = "InfluxIOIncludedT1"
  nullable    = false
}

variable "influxdb_allocated_storage_gib" {
  description = "Storage in GiB; at least 400 with T2 and T3. It can only grow."
  type        = number
  default     = 100
  nullable    = false
}

variable "influxdb_organization" {
  description = "Name of the first organisation. A change replaces the database."
  type        = string
  default     = "ons"
  nullable    = false
}

variable "influxdb_bucket" {
  description = "Name of the first bucket. A change replaces the database."
  type        = string
  default     = "consumption_data"
  nullable    = false
}

variable "influxdb_buckets" {
  description = "All buckets, with the one that load writes to: alarms count their series, and the tokens read and write them."
  type        = set(string)
  default     = ["consumption_data", "cutover_load", "generation_data", "transmission_data"]
  nullable    = false

  validation {
    condition     = contains(var.influxdb_buckets, var.influxdb_bucket)
    error_message = "`influxdb_buckets` must have `influxdb_bucket` among them."
  }
}

variable "influxdb_username" {
  description = "Name of the first user. A change replaces the database."
  type        = string
  default     = "admin"
  nullable    = false
}

variable "influxdb_password" {
  description = "Password of the first user, 8 to 64 letters and digits; null makes a random one."
  type        = string
  default     = null
  sensitive   = true
}

variable "influxdb_port" {
  description = "Port of the HTTPS API, for the instance and for the rules that let clients reach it."
  type        = number
  default     = 8086
  nullable    = false
}

variable "influxdb_multi_az" {
  description = "Keep a standby in a second zone, at twice the price."
  type        = bool
  default     = false
  nullable    = false
}

variable "influxdb_parameter_group_id" {
  description = "Id of an existing parameter group; null for the service's own."
  type        = string
  default     = null
}

variable "influxdb_maintenance_window" {
  description = "Weekly window for maintenance, such as Sun:04:00-Sun:06:00; null leaves the time to the service."
  type        = string
  default     = "Sun:04:00-Sun:06:00"
}

variable "timezone" {
  description = "Time zone of the maintenance window and of the nightly run, by its IANA name."
  type        = string
  default     = "America/Sao_Paulo"
  nullable    = false
}

variable "influxdb_log_delivery" {
  description = "Deliver the engine's logs to a bucket of this stack, hourly."
  type        = bool
  default     = true
  nullable    = false
}

# --- traffic, alarms, cost

variable "metric_namespace" {
  description = "Namespace of the application's own metrics."
  type        = string
  default     = "ONS/TrafficSwitching"
  nullable    = false
}

variable "influxdb_metric_namespace" {
  description = "Namespace in which AWS publishes the instance's metrics."
  type        = string
  default     = "AWS/Timestream/InfluxDB"
  nullable    = false
}

variable "expect_writes" {
  description = "Whether InfluxDB is written to all the time, so that too few points are worth a notification."
  type        = bool
  default     = false
  nullable    = false
}

variable "notification_emails" {
  description = "Addresses that alarms, failed runs and the budget write to."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "monthly_budget_usd" {
  description = "What the stack may cost a month, in US dollars; null for no budget."
  type        = number
  default     = 500
}

# --- runner

variable "runner_enabled" {
  description = "Make the jobs that run the harness inside the network."
  type        = bool
  default     = true
  nullable    = false
}

variable "runner_image" {
  description = "Image of the harness; null makes a repository for it. One from outside AWS needs NAT."
  type        = string
  default     = null

  validation {
    condition     = var.runner_image == null || var.nat_mode != "none" || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", var.runner_image))
    error_message = "`runner_image` must be in a private ECR registry while `nat_mode` is none."
  }
}

variable "runner_image_tag" {
  description = "Tag of the image in the repository of this stack."
  type        = string
  default     = "0.1.0"
  nullable    = false
}

variable "runner_vcpus" {
  description = "CPUs of one shard: 1, 2, 4, 8 or 16."
  type        = number
  default     = 2
  nullable    = false
}

variable "runner_memory_mib" {
  description = "Memory of one shard, in MiB."
  type        = number
  default     = 4096
  nullable    = false
}

variable "runner_shards" {
  description = "Parallel jobs of one run, from 1 to 100."
  type        = number
  default     = 1
  nullable    = false
}

variable "runner_scenario_tag" {
  description = "Tag of the scenarios of the nightly run."
  type        = string
  default     = "nightly"
  nullable    = false
}

variable "runner_schedule" {
  description = "When the nightly run starts, as cron(…) or rate(…); null for no nightly run."
  type        = string
  default     = "cron(0 3 * * ? *)"
}

variable "source_database_arns" {
  description = "Databases of Timestream for LiveAnalytics that the runner reads; empty for none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.source_database_arns) == 0 || var.nat_mode != "none"
    error_message = "`source_database_arns` must be empty while `nat_mode` is none: LiveAnalytics is reached through NAT."
  }
}
