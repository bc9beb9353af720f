// Lets Baton send its lifecycle events to an Event Grid topic that is there; its input schema must be CloudEvents 1.0.
param topicName string
@description('Of Baton.')
param principalId string

// EventGrid Data Sender
var dataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(topic.id, principalId, dataSender)
  scope: topic
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataSender)
  }
}

output url string = topic.properties.endpoint
