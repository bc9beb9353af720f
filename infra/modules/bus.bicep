// The bus and its two queues. The code relies on every property here: simulator/servicebus/default-config.json
// has the same for the laptop, and a test compares the two.
param name string
param location string
param tags object
@allowed(['Standard', 'Premium'])
param sku string
@description('Of Baton.')
param principalId string
param workspaceId string
param isPrivate bool

var queueNames = ['redeploy-jobs', 'alerts']
// Not Data Owner: without the right to manage, the platform scales by a look at the first message
// (azure-sdk-for-net, ServiceBusMetricsProvider), which is enough for wake-ups.
var roles = [
  '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0' // Azure Service Bus Data Receiver
  '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39' // Azure Service Bus Data Sender
]

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
    tier: sku
    capacity: sku == 'Premium' ? 1 : null
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for queue in queueNames: {
    parent: namespace
    name: queue
    properties: {
      lockDuration: 'PT1M'
      maxDeliveryCount: 10
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT10M'
      defaultMessageTimeToLive: 'P14D'
    }
  }
]

resource grants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roles: {
    name: guid(namespace.id, principalId, role)
    scope: namespace
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'OperationalLogs', enabled: true }]
  }
}

output id string = namespace.id
output namespace string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]
output jobsQueue string = queueNames[0]
output alertsQueue string = queueNames[1]
