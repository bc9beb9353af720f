// Sooner than the timer: Azure's notice of a planned maintenance wakes a discovery. Optional, and after the
// package is deployed, since it asks the app for a key: one that can do nothing but wake a discovery.
//   az deployment group create --resource-group rg-baton --template-file infra/hints.bicep --parameters functionAppName=func-baton-...
// An alert rule watches its own subscription alone: for others, deploy this in a group of theirs.
targetScope = 'resourceGroup'

param name string = 'baton'
param functionAppName string
@description('Where the Function App is, if elsewhere.')
param appSubscriptionId string = subscription().subscriptionId
param appResourceGroup string = resourceGroup().name
param tags object = {}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
  scope: resourceGroup(appSubscriptionId, appResourceGroup)
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}-hints'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'baton hints'
    azureFunctionReceivers: [
      {
        name: 'hint'
        functionAppResourceId: app.id
        functionName: 'hint'
        httpTriggerUrl: 'https://${app.properties.defaultHostName}/api/hint?code=${listKeys('${app.id}/host/default', '2024-11-01').functionKeys.default}'
        useCommonAlertSchema: true
      }
    ]
  }
}

resource announced 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'ar-${name}-planned-maintenance'
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure announced a planned maintenance: Baton looks at once. The VMs themselves, not this notice, say what is planned.'
    enabled: true
    scopes: [subscription().id]
    condition: {
      allOf: [
        { field: 'category', equals: 'ServiceHealth' }
        { field: 'properties.incidentType', equals: 'Maintenance' }
      ]
    }
    actions: { actionGroups: [{ actionGroupId: actionGroup.id }] }
  }
}
