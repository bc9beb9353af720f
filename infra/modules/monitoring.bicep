// Where Baton's signs of life go, who is told when they stop, and the page that shows them.
param name string
param location string
param tags object
@description('Of Baton.')
param principalId string
param emails string[]

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher: all telemetry

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${name}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 90 // an announcement to its last redeploy may take months
    features: { disableLocalAuth: true }
    // A bound on the bill. At it the heartbeat stops arriving, and that alarm tells.
    workspaceCapping: { dailyQuotaGb: 1 }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${name}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, metricsPublisher)
  scope: insights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

// The second channel: it does not pass through Baton.
resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take(name, 12)
    emailReceivers: [
      for (address, i) in emails: {
        name: 'mail ${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Baton'
    category: 'workbook'
    sourceId: workspace.id
    serializedData: replace(replace(loadTextContent('../workbook.json'), 'WORKSPACE_ID', workspace.id), 'BATON_LINES', trim(loadTextContent('../lines.kql')))
  }
}

output workspaceId string = workspace.id
output actionGroupId string = actionGroup.id
output insightsConnectionString string = insights.properties.ConnectionString
