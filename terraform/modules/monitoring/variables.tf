variable "name" {
  description = "Prefix of every name in this module, the alarms' names among them."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "`name` must be at most 24 lowercase letters and digits, in groups joined by single hyphens, a letter first."
  }
}

variable "instance_name" {
  description = "Name of the InfluxDB instance: the value of the dimension DbInstanceName."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*$", var.instance_name)) && length(var.instance_name) >= 3 && length(var.instance_name) <= 40
    error_message = "`instance_name` must be the name of an instance, 3 to 40 letters, digits and hyphens; not its id or ARN."
  }
}

variable "storage_type" {
  description = "Type of the instance's storage, which sets the IOPS that two alarms measure against."
  type        = string
  default     = "InfluxIOIncludedT1"
  nullable    = false

  validation {
    condition     = contains(["InfluxIOIncludedT1", "InfluxIOIncludedT2", "InfluxIOIncludedT3"], var.storage_type)
    error_message = "`storage_type` must be one of InfluxIOIncludedT1, InfluxIOIncludedT2, InfluxIOIncludedT3."
  }
}

variable "buckets" {
  description = "Buckets whose count of series is watched."
  type        = set(string)
  default     = ["consumption_data", "generation_data", "transmission_data"]
  nullable    = false

  validation {
    condition     = alltrue([for bucket in var.buckets : length(bucket) >= 2 && length(bucket) <= 64])
    error_message = "`buckets` must have names of 2 to 64 characters."
  }
}

variable "influxdb_namespace" {
  description = "Namespace in which AWS publishes the instance's metrics. Other sources name another; see the module's README."
  type        = string
  default     = "AWS/Timestream/InfluxDB"
  nullable    = false

  validation {
    condition     = can(regex("^AWS/[a-zA-Z0-9._/#:-]{1,251}$", var.influxdb_namespace))
    error_message = "`influxdb_namespace` must begin with AWS/, such as AWS/Timestream/InfluxDB."
  }
}

variable "metric_namespace" {
  description = "Namespace of the application's own metrics, with the dimension Backend."
  type        = string
  default     = "ONS/TrafficSwitching"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9._/#:-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "`metric_namespace` must be 1 to 255 letters, digits and ._/#:-, and must not begin with AWS/."
  }
}

variable "expect_writes" {
  description = "Whether InfluxDB is written to all the time. Until then, the alarm on too few points is shown and does not notify."
  type        = bool
  default     = false
  nullable    = false
}

variable "notification_emails" {
  description = "Addresses that alarms and the budget write to. Each has to confirm once."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.notification_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "`notification_emails` must be addresses such as operations@example.org."
  }
}

variable "monthly_budget_usd" {
  description = "What the stack may cost a month, in US dollars; null for no budget."
  type        = number
  default     = 500

  validation {
    condition     = var.monthly_budget_usd == null || coalesce(var.monthly_budget_usd, 1) >= 1
    error_message = "`monthly_budget_usd` must be at least 1, or null for no budget."
  }
}

variable "budget_tag" {
  description = "Tag by which the stack's costs are told from others'. It has to be activated as a cost allocation tag."
  type        = object({ key = string, value = string })
  nullable    = false

  validation {
    condition     = length(var.budget_tag.key) >= 1 && length(var.budget_tag.value) >= 1
    error_message = "`budget_tag` must have a `key` and a `value`."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts notifications. It must let CloudWatch, Budgets and EventBridge use it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "`kms_key_arn` must be the ARN of a KMS key, such as arn:aws:kms:us-east-1:111122223333:key/…."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}
