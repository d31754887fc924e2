# What people and programs need of AWS to use the database. IAM does not guard the data itself: who has a
# token has its rights. So the policies say who may fetch which token.

data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "FetchReaderToken"
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.token["reader"].arn]
  }

  statement {
    sid       = "DecryptToken"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "SeeInstance"
    actions   = ["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]
    resources = [aws_timestreaminfluxdb_db_instance.this.arn]
  }
}

data "aws_iam_policy_document" "writer" {
  statement {
    sid       = "FetchWriterToken"
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.token["writer"].arn]
  }

  statement {
    sid       = "DecryptToken"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "SeeInstance"
    actions   = ["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]
    resources = [aws_timestreaminfluxdb_db_instance.this.arn]
  }
}

# Who makes the tokens and the backups. Nothing here deletes or restores.
data "aws_iam_policy_document" "operator" {
  statement {
    sid       = "FetchAdministrator"
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [aws_timestreaminfluxdb_db_instance.this.influx_auth_parameters_secret_arn]
  }

  statement {
    sid       = "KeepTokens"
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [for secret in aws_secretsmanager_secret.token : secret.arn]
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "SeeAndBackUpInstance"
    actions   = ["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource", "timestream-influxdb:CreateDbBackup"]
    resources = [aws_timestreaminfluxdb_db_instance.this.arn]
  }

  statement {
    sid       = "SeeBackups"
    actions   = ["timestream-influxdb:ListDbInstances", "timestream-influxdb:ListDbBackups", "timestream-influxdb:GetDbBackup"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "reader" {
  name        = "${var.name}-influxdb-reader"
  description = "Fetch the token that reads InfluxDB ${var.name}"
  policy      = data.aws_iam_policy_document.reader.json

  tags = var.tags
}

resource "aws_iam_policy" "writer" {
  name        = "${var.name}-influxdb-writer"
  description = "Fetch the token that writes to InfluxDB ${var.name}"
  policy      = data.aws_iam_policy_document.writer.json

  tags = var.tags
}

resource "aws_iam_policy" "operator" {
  name        = "${var.name}-influxdb-operator"
  description = "Make tokens and backups of InfluxDB ${var.name}; delete and restore nothing"
  policy      = data.aws_iam_policy_document.operator.json

  tags = var.tags
}
