// Alarms about Baton itself; docs/runbook.md says what each means and what to do.
param name string
param location string
param tags object
param workspaceId string
param actionGroupId string
param busId string

// Baton's log lines: JSON, as the message or as its properties, by which way it came.
var lines = trim(loadTextContent('../lines.kql'))

var rules = [
  {
    name: 'no-heartbeat'
    severity: 1
    description: 'No discovery went through for 15 minutes: Baton is stopped, or cannot read Azure or its tables. Planned jobs still run.'
    query: '${lines} | where action == \'discovered\''
    frequency: 'PT5M'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'failing-functions'
    severity: 2
    description: 'A function failed three times in 15 minutes. The bus delivers again and the sweep wakes what was lost; look at the exceptions.'
    query: 'AppRequests | where Success == false | summarize failures = count() by OperationName | where failures >= 3'
    frequency: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'late-jobs'
    severity: 2
    description: 'Jobs are 15 minutes past their time: messages do not arrive, or their handler fails.'
    query: '${lines} | where action == \'jobs_late\''
    frequency: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'mail-failing'
    severity: 2
    description: 'The mail service is away or refuses login, sender or recipients, or more than 60 mails came within an hour. Alerts are kept in BatonAlerts.'
    query: '${lines} | where action in (\'mail_put_off\', \'mail_refused\', \'mail_held\')'
    frequency: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
  }
]

resource logRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'ar-${name}-${rule.name}'
    location: location
    tags: tags
    properties: {
      displayName: 'Baton: ${replace(rule.name, '-', ' ')}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.frequency
      windowSize: 'PT15M'
      autoMitigate: true
      skipQueryValidation: true // a new workspace has no lines yet
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: { actionGroups: [actionGroupId] }
    }
  }
]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'ar-${name}-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'A message stays in a dead-letter queue for 15 minutes: its handler does not run, or cannot write.'
    severity: 2
    enabled: true
    scopes: [busId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead letters'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: ['*'] }]
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Minimum'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}
