variable "name" {
  description = "Prefix of every name in this module."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "`name` must be at most 24 lowercase letters and digits, in groups joined by single hyphens, a letter first."
  }
}

variable "image" {
  description = "Image of the harness; null makes a repository for it and takes its tag `image_tag`."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[a-z0-9][a-zA-Z0-9./_-]*(:[0-9]+/[a-zA-Z0-9./_-]+)?(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "`image` must be an image with a tag or a digest, such as example.org/cutover:1.0.0."
  }

  validation {
    condition     = var.image == null || !can(regex(":latest$", var.image))
    error_message = "`image` must not have the tag latest: a run has to say which harness it ran."
  }
}

variable "image_tag" {
  description = "Tag in the repository of this module, used when `image` is null."
  type        = string
  default     = "0.1.0"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "`image_tag` must be 1 to 128 letters, digits and ._-, and not latest."
  }
}

variable "architecture" {
  description = "Architecture of the image: X86_64 or ARM64."
  type        = string
  default     = "X86_64"
  nullable    = false

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "`architecture` must be one of X86_64, ARM64."
  }
}

variable "vcpus" {
  description = "CPUs of one shard."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([1, 2, 4, 8, 16], var.vcpus)
    error_message = "`vcpus` must be one of 1, 2, 4, 8, 16."
  }
}

variable "memory_mib" {
  description = "Memory of one shard, in MiB: from 2 to 8 GiB a CPU, in the steps that Fargate knows."
  type        = number
  default     = 4096
  nullable    = false

  validation {
    # Another count of CPUs has a message of its own.
    condition = try(contains({
      1  = range(2048, 8193, 1024)
      2  = range(4096, 16385, 1024)
      4  = range(8192, 30721, 1024)
      8  = range(16384, 61441, 4096)
      16 = range(32768, 122881, 8192)
    }[var.vcpus], var.memory_mib), true)
    error_message = "`memory_mib` must be one that Fargate has: 2048-8192 with 1 CPU, 4096-16384 with 2, 8192-30720 with 4, each in steps of 1024; 16384-61440 with 8 in steps of 4096; 32768-122880 with 16 in steps of 8192."
  }
}

variable "shards" {
  description = "Parallel jobs of one run, which is the size of the array job; 1 makes a job without an array."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = floor(var.shards) == var.shards && var.shards >= 1 && var.shards <= 100
    error_message = "`shards` must be a whole number from 1 to 100."
  }
}

variable "scenario_tag" {
  description = "Tag of the scenarios of the nightly run."
  type        = string
  default     = "nightly"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.scenario_tag))
    error_message = "`scenario_tag` must be lowercase letters, digits and hyphens, a letter first."
  }
}

variable "stack_output" {
  description = "What `terraform output -json` has for the harness, as a map from the output's name to its value. It reaches the job as a file's text and holds no secret."
  type        = any
  default     = {}
  nullable    = false
}

variable "schedule" {
  description = "When the nightly run starts, as a cron expression of EventBridge Scheduler; null for no nightly run."
  type        = string
  default     = "cron(0 3 * * ? *)"

  validation {
    condition     = var.schedule == null || can(regex("^(cron\\([^ ]+( [^ ]+){5}\\)|rate\\([1-9][0-9]* (minutes?|hours?|days?)\\))$", var.schedule))
    error_message = "`schedule` must be cron(…) with six fields or rate(…), such as cron(0 3 * * ? *), or null."
  }
}

variable "schedule_timezone" {
  description = "Time zone of `schedule`, by its IANA name."
  type        = string
  default     = "America/Sao_Paulo"
  nullable    = false

  validation {
    condition     = can(regex("^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+)+)$", var.schedule_timezone))
    error_message = "`schedule_timezone` must be UTC or a name such as America/Sao_Paulo."
  }
}

variable "timeout_minutes" {
  description = "When a job that does not end is stopped."
  type        = number
  default     = 180
  nullable    = false

  validation {
    condition     = floor(var.timeout_minutes) == var.timeout_minutes && var.timeout_minutes >= 10 && var.timeout_minutes <= 1440
    error_message = "`timeout_minutes` must be a whole number from 10 to 1440."
  }
}

variable "allow_writes" {
  description = "Let jobs fetch the writer's token and shift traffic. Without it they only read."
  type        = bool
  default     = false
  nullable    = false
}

variable "subnet_ids" {
  description = "Private subnets of the jobs."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(distinct(var.subnet_ids)) == length(var.subnet_ids)
    error_message = "`subnet_ids` must name at least one subnet, and each once."
  }
}

variable "security_group_ids" {
  description = "Security groups of the jobs: the one of InfluxDB's clients."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.security_group_ids) >= 1 && length(var.security_group_ids) <= 5
    error_message = "`security_group_ids` must name one to five security groups."
  }
}

variable "instance_arn" {
  description = "ARN of the InfluxDB instance that jobs look at."
  type        = string
  nullable    = false
}

variable "token_secret_arns" {
  description = "Secrets of the scoped tokens, by name: jobs fetch `reader`, and `writer` with `allow_writes`."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in ["reader", "writer"] : contains(keys(var.token_secret_arns), name)])
    error_message = "`token_secret_arns` must have a `reader` and a `writer`."
  }
}

variable "source_database_arns" {
  description = "Databases of Timestream for LiveAnalytics that jobs read; empty for none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.source_database_arns : can(regex("^arn:[a-z-]+:timestream:[a-z0-9-]+:[0-9]{12}:database/[A-Za-z0-9._-]+$", arn))])
    error_message = "`source_database_arns` must be ARNs of databases, such as arn:aws:timestream:us-east-1:111122223333:database/energy."
  }
}

variable "appconfig_application_id" {
  description = "AppConfig application whose flags jobs read, and set with `allow_writes`."
  type        = string
  nullable    = false
}

variable "metric_namespace" {
  description = "The one namespace to which jobs publish metrics."
  type        = string
  default     = "ONS/TrafficSwitching"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9._/#:-]{1,255}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "`metric_namespace` must be 1 to 255 letters, digits and ._/#:-, and must not begin with AWS/."
  }
}

variable "result_retention_days" {
  description = "How long reports are kept."
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = floor(var.result_retention_days) == var.result_retention_days && var.result_retention_days >= 30 && var.result_retention_days <= 3650
    error_message = "`result_retention_days` must be a whole number from 30 to 3650."
  }
}

variable "log_retention_days" {
  description = "How long the jobs' logs are kept."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653], var.log_retention_days)
    error_message = "`log_retention_days` must be one of 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653."
  }
}

variable "notification_topic_arn" {
  description = "Topic that is told of failed jobs; it must accept events of rules that begin with `name`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.notification_topic_arn))
    error_message = "`notification_topic_arn` must be the ARN of an SNS topic, such as arn:aws:sns:us-east-1:111122223333:name."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts images, results, logs and the schedule, and the secrets that jobs fetch."
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
