// All of Baton in one resource group, but its rights on VMs: rights/ grants those, at the scope you choose.
//   az deployment group create --resource-group rg-baton --template-file infra/baton.bicep --parameters emailTo="['oncall@example.com']"
targetScope = 'resourceGroup'

// The parameters are those of main.bicep; what each means is written there.
@minLength(2)
@maxLength(16)
param name string = 'baton'
param location string = resourceGroup().location
param subscriptions string[] = []
@allowed(['dryRun', 'live', 'paused'])
param mode string = 'dryRun'
@minLength(1)
param emailTo string[]
param emailDomainId string = ''
param emailFrom string = ''
@secure()
param emailUrl string = ''
param emailDataLocation string = 'Europe'
param eventsTopicId string = ''
@secure()
param eventsUrl string = ''
@secure()
param eventsSecret string = ''
param authors string[] = []
param operators string[] = []
param settings object = {}
param privateNetwork bool = false
@allowed(['Standard', 'Premium'])
param busSku string = 'Standard'
param lock bool = true
param packageUri string = ''
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512
param tags object = {}

// Abbreviations of the Cloud Adoption Framework; the suffix makes names unique that are so worldwide.
var suffix = uniqueString(resourceGroup().id, name)
var unique = '${name}-${suffix}'
var usesRelay = !empty(emailUrl)
var usesTopic = !empty(eventsTopicId)
// Where there is no topic its scope must still be one.
var topicParts = split(usesTopic ? eventsTopicId : resourceGroup().id, '/')
var needsSender = empty(emailFrom) && !usesRelay

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: name
    location: location
    tags: tags
    principalId: identity.properties.principalId
    emails: emailTo
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: name
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: take('st${replace(toLower(name), '-', '')}${suffix}', 24)
    location: location
    tags: tags
    principalId: identity.properties.principalId
    authors: authors
    operators: operators
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: privateNetwork
    lock: lock
  }
}

module bus 'modules/bus.bicep' = {
  name: 'bus'
  params: {
    name: 'sbns-${unique}'
    location: location
    tags: tags
    sku: busSku
    principalId: identity.properties.principalId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: privateNetwork && busSku == 'Premium'
  }
}

module endpoints 'modules/endpoints.bicep' = if (privateNetwork) {
  name: 'endpoints'
  params: {
    name: name
    location: location
    tags: tags
    vnetId: network!.outputs.vnetId
    subnetId: network!.outputs.endpointsSubnetId
    storageId: storage.outputs.id
    busId: busSku == 'Premium' ? bus.outputs.id : ''
  }
}

module mail 'modules/mail.bicep' = if (!usesRelay) {
  name: 'mail'
  params: {
    name: unique
    tags: tags
    dataLocation: emailDataLocation
    domainId: emailDomainId
    principalId: identity.properties.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module events 'modules/events.bicep' = if (usesTopic) {
  name: 'events'
  scope: resourceGroup(topicParts[2], topicParts[4])
  params: {
    topicName: last(topicParts)
    principalId: identity.properties.principalId
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  // The package is copied over the private endpoints, where there are any.
  dependsOn: [endpoints]
  params: {
    name: unique
    location: location
    // By this tag azd finds where the service `baton` of azure.yaml goes.
    tags: union(tags, { 'azd-service-name': 'baton' })
    identityId: identity.id
    clientId: identity.properties.clientId
    packagesUrl: storage.outputs.packagesUrl
    blobEndpoint: storage.outputs.blobEndpoint
    tablesEndpoint: storage.outputs.tablesEndpoint
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    packageUri: packageUri
    instanceMemoryMB: instanceMemoryMB
    settings: union(
      {
        BATON_MODE: mode
        BATON_SUBSCRIPTIONS: join(subscriptions, ',')
        BATON_ARM_URL: environment().resourceManager
        BATON_TABLE_PREFIX: storage.outputs.tablePrefix
        BATON_BUS__fullyQualifiedNamespace: bus.outputs.namespace
        BATON_JOBS_QUEUE: bus.outputs.jobsQueue
        BATON_ALERTS_QUEUE: bus.outputs.alertsQueue
        BATON_EMAIL_URL: usesRelay ? emailUrl : mail!.outputs.url
        BATON_EMAIL_FROM: needsSender ? mail!.outputs.sender : emailFrom
        BATON_EMAIL_TO: join(emailTo, ',')
        BATON_EVENTS_URL: usesTopic ? events!.outputs.url : eventsUrl
        BATON_EVENTS_SECRET: eventsSecret
      },
      settings
    )
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: monitoring.outputs.actionGroupId
    busId: bus.outputs.id
  }
}

output functionAppName string = app.outputs.name
output principalId string = identity.properties.principalId
output tablesEndpoint string = storage.outputs.tablesEndpoint
output busNamespace string = bus.outputs.namespace
@description('Empty where it is a relay, whose address may hold a password.')
output emailUrl string = usesRelay ? '' : mail!.outputs.url
output emailFrom string = needsSender ? mail!.outputs.sender : emailFrom
