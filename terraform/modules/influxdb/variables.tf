variable "name" {
  description = "Name of the instance, unique in the account and region, and prefix of its endpoint. A change replaces the database."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$", var.name)) && length(var.name) >= 3 && length(var.name) <= 40
    error_message = "`name` must be 3 to 40 letters and digits, in groups joined by single hyphens, a letter first."
  }
}

variable "db_instance_type" {
  description = "Size of the instance: medium has 1 vCPU and 8 GiB, large 2 and 16, xlarge 4 and 32, 2xlarge 8 and 64, and so on. A change restarts it."
  type        = string
  default     = "db.influx.large"
  nullable    = false

  validation {
    condition     = contains([for size in ["medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"] : "db.influx.${size}"], var.db_instance_type)
    error_message = "`db_instance_type` must be db.influx. and one of medium, large, xlarge, 2xlarge, 4xlarge, 8xlarge, 12xlarge, 16xlarge, 24xlarge."
  }
}

variable "storage_type" {
  description = "Storage with its IOPS included: T1 has 3,000, T2 12,000, T3 16,000. It changes at most every six hours."
  type        = string
  default     = "InfluxIOIncludedT1"
  nullable    = false

  validation {
    condition     = contains(["InfluxIOIncludedT1", "InfluxIOIncludedT2", "InfluxIOIncludedT3"], var.storage_type)
    error_message = "`storage_type` must be one of InfluxIOIncludedT1, InfluxIOIncludedT2, InfluxIOIncludedT3."
  }
}

variable "allocated_storage_gib" {
  description = "Storage in GiB. It can be enlarged, never reduced, and does not grow by itself."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = floor(var.allocated_storage_gib) == var.allocated_storage_gib && var.allocated_storage_gib >= 20 && var.allocated_storage_gib <= 15360
    error_message = "`allocated_storage_gib` must be a whole number from 20 to 15360."
  }

  validation {
    condition     = var.storage_type == "InfluxIOIncludedT1" || var.allocated_storage_gib >= 400
    error_message = "`allocated_storage_gib` must be at least 400 with InfluxIOIncludedT2 and InfluxIOIncludedT3."
  }
}

variable "bucket" {
  description = "Name of the first bucket. A change replaces the database."
  type        = string
  default     = "consumption_data"
  nullable    = false

  validation {
    condition     = length(var.bucket) >= 2 && length(var.bucket) <= 64
    error_message = "`bucket` must have 2 to 64 characters."
  }

  validation {
    condition     = !startswith(var.bucket, "_") && !strcontains(var.bucket, "\"")
    error_message = "`bucket` must not begin with an underscore nor contain a double quote."
  }
}

variable "organization" {
  description = "Name of the first organisation. A change replaces the database."
  type        = string
  default     = "ons"
  nullable    = false

  validation {
    condition     = length(var.organization) >= 1 && length(var.organization) <= 64
    error_message = "`organization` must have 1 to 64 characters."
  }
}

variable "username" {
  description = "Name of the first user. A change replaces the database."
  type        = string
  default     = "admin"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$", var.username)) && length(var.username) <= 64
    error_message = "`username` must be 1 to 64 letters and digits, in groups joined by single hyphens, a letter first."
  }
}

variable "password" {
  description = "Password of the first user; null makes a random one. Either way it is in Terraform's state, so keep the state encrypted. A later change here is ignored: AWS would replace the database."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.password == null || can(regex("^[a-zA-Z0-9]{8,64}$", var.password))
    error_message = "`password` must be 8 to 64 letters and digits, without punctuation."
  }
}

variable "port" {
  description = "Port of the HTTPS API. A change restarts the instance at once."
  type        = number
  default     = 8086
  nullable    = false

  validation {
    condition     = floor(var.port) == var.port && var.port >= 1024 && var.port <= 65535
    error_message = "`port` must be a whole number from 1024 to 65535."
  }

  validation {
    condition     = !anytrue([for range in [[2375, 2376], [7788, 7799], [8090, 8090], [51678, 51680]] : var.port >= range[0] && var.port <= range[1]])
    error_message = "`port` must not be one that the service reserves: 2375-2376, 7788-7799, 8090, 51678-51680."
  }
}

variable "subnet_ids" {
  description = "Subnets of the instance: one to three, and at least two, in different zones, with a standby. A change replaces the database."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(var.subnet_ids) <= 3
    error_message = "`subnet_ids` must name one to three subnets."
  }

  validation {
    condition     = length(distinct(var.subnet_ids)) == length(var.subnet_ids)
    error_message = "`subnet_ids` must name each subnet once."
  }

  validation {
    condition     = !var.multi_az || length(var.subnet_ids) >= 2
    error_message = "`subnet_ids` must name at least two subnets with `multi_az`."
  }
}

variable "security_group_ids" {
  description = "Security groups of the instance: one to five. A change replaces the database."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.security_group_ids) >= 1 && length(var.security_group_ids) <= 5
    error_message = "`security_group_ids` must name one to five security groups."
  }
}

variable "multi_az" {
  description = "Keep a standby in a second zone, at twice the price."
  type        = bool
  default     = false
  nullable    = false
}

variable "publicly_accessible" {
  description = "Give the instance a public address. A change replaces the database."
  type        = bool
  default     = false
  nullable    = false
}

variable "network_type" {
  description = "IPV4, or DUAL for IPv4 and IPv6. A change replaces the database."
  type        = string
  default     = "IPV4"
  nullable    = false

  validation {
    condition     = contains(["IPV4", "DUAL"], var.network_type)
    error_message = "`network_type` must be one of IPV4, DUAL."
  }
}

variable "parameter_group_id" {
  description = "Id of an existing parameter group; null for the service's own. The service can neither change nor delete one, so none is made here. Its removal replaces the database."
  type        = string
  default     = null

  validation {
    condition     = var.parameter_group_id == null || can(regex("^[a-zA-Z0-9]{3,64}$", var.parameter_group_id))
    error_message = "`parameter_group_id` must be 3 to 64 letters and digits."
  }
}

variable "maintenance_window" {
  description = "Weekly window for maintenance, of 2 to 24 hours; null leaves the time to the service."
  type        = string
  default     = "Sun:04:00-Sun:06:00"

  validation {
    condition     = var.maintenance_window == null || can(regex("^(Sun|Mon|Tue|Wed|Thu|Fri|Sat):([01][0-9]|2[0-3]):[0-5][0-9]-(Sun|Mon|Tue|Wed|Thu|Fri|Sat):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "`maintenance_window` must have the form ddd:HH:MM-ddd:HH:MM with days Sun to Sat, such as Sun:04:00-Sun:06:00."
  }

  # Minutes from the start to the end, over the end of the week where it has to. Another form has the
  # message above.
  validation {
    condition = var.maintenance_window == null || try(
      alltrue([for minutes in [(
        index(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"], substr(var.maintenance_window, 10, 3)) * 1440
        + tonumber(substr(var.maintenance_window, 14, 2)) * 60 + tonumber(substr(var.maintenance_window, 17, 2))
        -index(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"], substr(var.maintenance_window, 0, 3)) * 1440
        -tonumber(substr(var.maintenance_window, 4, 2)) * 60 - tonumber(substr(var.maintenance_window, 7, 2))
        + 10080
      ) % 10080] : minutes >= 120 && minutes <= 1440]),
    true)
    error_message = "`maintenance_window` must last from 2 to 24 hours."
  }
}

variable "maintenance_timezone" {
  description = "Time zone of `maintenance_window`, by its IANA name."
  type        = string
  default     = "America/Sao_Paulo"
  nullable    = false

  validation {
    condition     = can(regex("^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+)+)$", var.maintenance_timezone))
    error_message = "`maintenance_timezone` must be UTC or a name such as America/Sao_Paulo."
  }
}

variable "log_delivery" {
  description = "Deliver the engine's logs to a bucket of this module, hourly."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "How long delivered logs are kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = floor(var.log_retention_days) == var.log_retention_days && var.log_retention_days >= 1 && var.log_retention_days <= 3650
    error_message = "`log_retention_days` must be a whole number from 1 to 3650."
  }
}

variable "tokens" {
  description = "Tokens with a secret each, in the format of AWS's rotation functions: what they may read and write, by the name of a bucket, or everything with type allAccess."
  type = map(object({
    type          = optional(string, "custom")
    read_buckets  = optional(list(string), [])
    write_buckets = optional(list(string), [])
  }))
  default = {
    reader = { read_buckets = ["consumption_data", "generation_data", "transmission_data"] }
    writer = {
      read_buckets  = ["consumption_data", "generation_data", "transmission_data"]
      write_buckets = ["consumption_data", "generation_data", "transmission_data"]
    }
  }
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.tokens) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name))])
    error_message = "`tokens` must have names of lowercase letters and digits, in groups joined by single hyphens."
  }

  validation {
    condition     = alltrue([for token in values(var.tokens) : contains(["custom", "allAccess"], token.type)])
    error_message = "`tokens` must have a type of custom or allAccess; an operator token is made when it is needed, and not kept."
  }

  validation {
    condition     = alltrue([for token in values(var.tokens) : token.type != "custom" || length(token.read_buckets) + length(token.write_buckets) > 0])
    error_message = "`tokens` of type custom must name at least one bucket to read or write."
  }

  validation {
    condition     = alltrue([for name in ["reader", "writer"] : contains(keys(var.tokens), name)])
    error_message = "`tokens` must have a `reader` and a `writer`, for the two policies."
  }

  validation {
    condition     = length(try(var.tokens["reader"].write_buckets, [])) == 0 && try(var.tokens["reader"].type, "custom") == "custom"
    error_message = "`tokens` must not let `reader` write."
  }
}

variable "allow_writes" {
  description = "Whether `cutover` may write to, delete from and shift traffic to this stack. It becomes the instance's tag cutover:allow-writes, and `cutover` still wants --allow-writes."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "Key that encrypts the secrets. The instance's own storage is always encrypted, by a key of the service."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "`kms_key_arn` must be the ARN of a KMS key, such as arn:aws:kms:us-east-1:111122223333:key/…."
  }
}

variable "secret_recovery_days" {
  description = "How long a deleted secret can be restored."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = floor(var.secret_recovery_days) == var.secret_recovery_days && var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30
    error_message = "`secret_recovery_days` must be a whole number from 7 to 30."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}
